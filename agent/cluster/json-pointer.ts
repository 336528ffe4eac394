import { isObject } from './json-object.ts';

/** The names on the way of a JSON pointer (RFC 6901); undefined if the text is none, or points to the whole document. */
export function pointerPath(pointer: string): string[] | undefined {
  if (!pointer.startsWith('/') || /~(?![01])/.test(pointer)) return undefined;
  return pointer
    .slice(1)
    .split('/')
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** The value at a path; undefined if there is none. Numbers are places in lists. */
export const valueAt = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((inner, name) => {
    if (Array.isArray(inner)) return /^\d+$/.test(name) ? inner[Number(name)] : undefined;
    return isObject(inner) && Object.hasOwn(inner, name) ? inner[name] : undefined;
  }, value);

/** A copy with another value at a path that exists, or without it if the value is undefined. Items of lists are not taken out. */
export function withValueAt<T>(value: T, path: readonly string[], next: unknown): T {
  const [name, ...rest] = path;
  if (name === undefined) return value;
  if (Array.isArray(value))
    return value.map((item, n) => (String(n) === name && rest.length > 0 ? withValueAt(item, rest, next) : item)) as T;
  if (!isObject(value) || !Object.hasOwn(value, name)) return value;
  if (rest.length > 0) return { ...value, [name]: withValueAt(value[name], rest, next) };
  const { [name]: _old, ...others } = value as Record<string, unknown>;
  return (next === undefined ? others : { ...value, [name]: next }) as T;
}
