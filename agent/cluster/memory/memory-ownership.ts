import type { DisownOptions, ObjectRef, TakeFieldsOptions } from '../cluster.ts';
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

export function takeInMemory({ stored }: MemoryObjects, ref: ObjectRef, { uid, from, fieldManager }: TakeFieldsOptions): void {
  const existing = stored.get(keyOf(ref));
  const ours = existing?.owners.get(fieldManager);
  if (!ours || existing?.object.metadata.uid !== uid) return;
  const owners = [...existing.owners].map(([manager, paths]): [string, ReadonlySet<string>] => [
    manager,
    from.includes(manager) ? paths.difference(ours) : paths,
  ]);
  stored.set(keyOf(ref), { ...existing, owners: new Map(owners) });
}
