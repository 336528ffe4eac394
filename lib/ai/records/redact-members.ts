const REDACTED = '[redacted]';

/**
 * A copy without the members that these JSON pointers (RFC 6901) name. In a pointer, `*` stands for every item of an array or every member,
 * so that one pointer redacts the same member of all messages. Pointers that lead nowhere change nothing.
 */
export function redactMembers(value: unknown, pointers: readonly string[]): unknown {
  if (pointers.length === 0) return value;
  const copy: unknown = structuredClone(value);
  for (const pointer of pointers) redact(copy, pointer.split('/').slice(1).map(unescaped));
  return copy;
}

const unescaped = (part: string) => part.replaceAll('~1', '/').replaceAll('~0', '~');

function redact(place: unknown, [name, ...rest]: readonly string[]): void {
  if (typeof place !== 'object' || place === null || name === undefined) return;
  const members = place as Record<string, unknown>;
  for (const member of name === '*' ? Object.keys(members) : [name]) {
    if (!Object.hasOwn(members, member)) continue;
    if (rest.length === 0) members[member] = REDACTED;
    else redact(members[member], rest);
  }
}
