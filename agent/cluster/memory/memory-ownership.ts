import type { DisownOptions, ObjectRef, TakeFieldsOptions } from '../cluster.ts';
import type { FieldSet } from '../field-sets.ts';
import { isObject } from '../json-object.ts';
import type { MemoryObjects } from './memory-objects.ts';
import { keyOf } from './memory-refs.ts';

export function disownInMemory({ stored, nextRevision }: MemoryObjects, ref: ObjectRef, options: DisownOptions): 'disowned' | 'gone' {
  const existing = stored.get(keyOf(ref));
  if (existing?.object.metadata.uid !== options.uid) return 'gone';
  const object = structuredClone(existing.object);
  for (const name of options.labels) delete object.metadata.labels?.[name];
  for (const name of options.annotations) delete object.metadata.annotations?.[name];
  object.metadata.resourceVersion = nextRevision();
  const owners = new Map([...existing.owners].filter(([manager]) => manager !== options.fieldManager));
  stored.set(keyOf(ref), { object, owners });
  return 'disowned';
}

export function takeInMemory(
  { stored }: MemoryObjects,
  ref: ObjectRef,
  { uid, from, fields, fieldManager }: TakeFieldsOptions,
): string | undefined {
  const existing = stored.get(keyOf(ref));
  const ours = existing?.owners.get(fieldManager) ?? new Set<string>();
  if (existing?.object.metadata.uid !== uid) return undefined;
  const isWanted = (path: string) => (fields === 'shared' ? ours.has(path) : isIn(fields, JSON.parse(path)));
  const taken = new Set(ours);
  const owners = new Map(existing.owners);
  for (const [manager, paths] of existing.owners) {
    if (!from.includes(manager)) continue;
    const given = new Set([...paths].filter(isWanted));
    for (const path of given) taken.add(path);
    owners.set(manager, paths.difference(given));
  }
  stored.set(keyOf(ref), { ...existing, owners: owners.set(fieldManager, taken) });
  return existing.object.metadata.resourceVersion;
}

/** Lists are one field here, so that whatever is named in one names the list. */
function isIn(fields: FieldSet, [name, ...rest]: readonly string[]): boolean {
  const inner = fields[`f:${name}`];
  if (inner === undefined) return false;
  return rest.length === 0 || !isObject(inner) || Object.keys(inner).length === 0 || isIn(inner, rest);
}
