/** New JSON texts of top-level members; undefined takes the member out. */
export type MemberChanges = Readonly<Record<string, string | undefined>>;

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN = new Set([0x7b, 0x5b]);
const CLOSE = new Set([0x7d, 0x5d]);

/**
 * Changes top-level members in the text of a JSON object and leaves all other characters as they are: large integers and `1.0` keep their
 * digits, and a member of the same name inside another object or a string is not touched. A name that stands twice is changed in both
 * places, because readers differ in which one counts. The text must be the valid JSON of an object.
 */
export function spliceMembers(text: string, changes: MemberChanges): string {
  const found = new Set<string>();
  const kept: string[] = [];
  /** Everything before this is in `kept`. */
  let copied = text.indexOf('{') + 1;
  const head = text.slice(0, copied);
  let at = copied;
  let first = true;
  for (;;) {
    const nameStart = skipSpace(text, at);
    if (text.charCodeAt(nameStart) !== QUOTE) break;
    const nameEnd = endOfString(text, nameStart);
    const name = nameIn(text, nameStart, nameEnd);
    const valueStart = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const valueEnd = endOfValue(text, valueStart);
    const next = skipSpace(text, valueEnd);
    const more = text.charCodeAt(next) === 0x2c;
    if (Object.hasOwn(changes, name)) {
      found.add(name);
      const change = changes[name];
      if (change === undefined) {
        // The comma behind a member goes with it; if it was the last one, the comma before it does.
        kept.push(text.slice(copied, at));
        if (!more && !first) dropComma(kept);
        copied = more ? next + 1 : valueEnd;
      } else {
        kept.push(text.slice(copied, valueStart), change);
        copied = valueEnd;
        first = false;
      }
    } else first = false;
    if (!more) break;
    at = next + 1;
  }
  const added = Object.entries(changes)
    .filter(([name, change]) => change !== undefined && !found.has(name))
    .map(([name, change]) => `${JSON.stringify(name)}:${change}`)
    .join(',');
  kept.push(text.slice(copied));
  const rest = kept.join('');
  const empty = rest.charCodeAt(skipSpace(rest, 0)) === 0x7d;
  return head + added + (added !== '' && !empty ? ',' : '') + rest;
}

function dropComma(kept: string[]): void {
  for (let index = kept.length - 1; index >= 0; index--) {
    const piece = kept[index] ?? '';
    const comma = piece.lastIndexOf(',');
    if (comma >= 0 && piece.slice(comma + 1).trim() === '') {
      kept[index] = piece.slice(0, comma) + piece.slice(comma + 1);
      return;
    }
    if (piece.trim() !== '') return;
  }
}

/** Names are compared as they are read: `"mod\u0065l"` is `model`. */
function nameIn(text: string, start: number, end: number): string {
  const name = text.slice(start + 1, end - 1);
  return name.includes('\\') ? String(JSON.parse(text.slice(start, end))) : name;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && text.charCodeAt(at) <= 32) at++;
  return at;
}

/** The place behind the closing quote of the string that begins here. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) return text.length;
    let escapes = quote - 1;
    while (text.charCodeAt(escapes) === BACKSLASH) escapes--;
    if ((quote - escapes) % 2 === 1) return quote + 1;
    at = quote + 1;
  }
}

function endOfValue(text: string, start: number): number {
  const code = text.charCodeAt(start);
  if (code === QUOTE) return endOfString(text, start);
  let at = start;
  if (!OPEN.has(code)) {
    while (at < text.length && text.charCodeAt(at) > 32 && text.charCodeAt(at) !== 0x2c && text.charCodeAt(at) !== 0x7d) at++;
    return at;
  }
  for (let depth = 0; at < text.length; at++) {
    const next = text.charCodeAt(at);
    if (next === QUOTE) at = endOfString(text, at) - 1;
    else if (OPEN.has(next)) depth++;
    else if (CLOSE.has(next) && --depth === 0) return at + 1;
  }
  return at;
}
