import type { Manifest } from '../cluster.ts';

/** Which manager owns which fields, each field by its path as JSON. Lists are one field. */
export type FieldOwners = ReadonlyMap<string, ReadonlySet<string>>;

type Fields = Record<string, unknown>;
const IDENTITY = new Set([
  'apiVersion',
  'kind',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'metadata.resourceVersion',
  'status',
]);

export interface Merge {
  fields: Fields;
  owners: FieldOwners;
}

/** Server-side apply in small: what the manager applied before and leaves out now goes, unless another manager owns it too. */
export function mergeApply(
  current: { fields: Fields; owners: FieldOwners },
  manifest: Manifest,
  manager: string,
  force: boolean,
): Merge | { conflicts: string[] } {
  const applied = new Map(leaves(manifest, []));
  const before = current.owners.get(manager) ?? new Set<string>();
  const others = [...current.owners].filter(([name]) => name !== manager);
  const fields = structuredClone(current.fields);
  const conflicts: string[] = [];
  const taken = new Set<string>();
  for (const [path, value] of applied) {
    const owner = others.find(([, paths]) => paths.has(path));
    if (!owner || same(read(fields, pathOf(path)), value)) continue;
    conflicts.push(`conflict with "${owner[0]}": .${pathOf(path).join('.')}`);
    taken.add(path);
  }
  if (conflicts.length > 0 && !force) return { conflicts };
  for (const path of before) {
    if (!applied.has(path) && !others.some(([, paths]) => paths.has(path))) drop(fields, pathOf(path));
  }
  for (const [path, value] of applied) write(fields, pathOf(path), structuredClone(value));
  const owners = new Map<string, ReadonlySet<string>>(others.map(([name, paths]) => [name, paths.difference(taken)]));
  owners.set(manager, new Set(applied.keys()));
  return { fields, owners };
}

function* leaves(value: Fields, path: readonly string[]): Generator<[string, unknown]> {
  for (const [name, item] of Object.entries(value)) {
    const here = [...path, name];
    if (IDENTITY.has(here.join('.'))) continue;
    if (isFields(item) && Object.keys(item).length > 0) yield* leaves(item, here);
    // An empty map says nothing about its members.
    else if (!isFields(item)) yield [JSON.stringify(here), item];
  }
}

function read(fields: Fields, path: readonly string[]): unknown {
  let value: unknown = fields;
  for (const name of path) value = isFields(value) ? value[name] : undefined;
  return value;
}

function write(fields: Fields, [name = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    fields[name] = value;
    return;
  }
  const inner = fields[name];
  const next: Fields = isFields(inner) ? inner : {};
  fields[name] = next;
  write(next, rest, value);
}

function drop(fields: Fields, [name = '', ...rest]: readonly string[]): void {
  const inner = fields[name];
  if (rest.length > 0 && isFields(inner)) drop(inner, rest);
  if (rest.length === 0 || (isFields(inner) && Object.keys(inner).length === 0)) delete fields[name];
}

const pathOf = (path: string): string[] => JSON.parse(path) as string[];
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Equal in content, whatever the order of members. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, index) => same(item, b[index]));
  if (!isFields(a) || !isFields(b)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && same(a[name], b[name]));
}
