import { isObject } from '../../cluster/json-object.ts';

/** Fields that the API server itself writes and moves; none of them is anybody's intent. */
const BOOKKEEPING = new Set([
  'managedFields',
  'resourceVersion',
  'generation',
  'uid',
  'creationTimestamp',
  'selfLink',
  'deletionGracePeriodSeconds',
]);

/** The first path at which two objects differ in what was meant, undefined if they don't. Items of lists are named by their place. */
export function difference(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): readonly string[] | undefined {
  return recordDifference(a, b, [], (name) => name === 'status');
}

function recordDifference(
  a: Readonly<Record<string, unknown>>,
  b: Readonly<Record<string, unknown>>,
  path: readonly string[],
  skip: (name: string) => boolean,
): readonly string[] | undefined {
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    if (skip(name)) continue;
    const found = valueDifference(a[name], b[name], [...path, name]);
    if (found) return found;
  }
  return undefined;
}

function valueDifference(a: unknown, b: unknown, path: readonly string[]): readonly string[] | undefined {
  if (a === b) return undefined;
  if (isObject(a) && isObject(b))
    return recordDifference(a, b, path, path.join() === 'metadata' ? (name) => BOOKKEEPING.has(name) : () => false);
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return path;
  for (const [index, item] of a.entries()) {
    const found = valueDifference(item, b[index], [...path, String(index)]);
    if (found) return found;
  }
  return undefined;
}

/** `spec.template.spec.containers[0].image` */
export const pathText = (path: readonly string[]): string =>
  path.map((name, index) => (/^\d+$/.test(name) ? `[${name}]` : index === 0 ? name : `.${name}`)).join('');
