import { type Clock, timestamp } from '../../../lib/platform/clock.ts';
import { ClusterError, type DeleteOptions, type LiveObject, type ObjectRef, type ResourceKind, UNSERVED } from '../cluster.ts';
import type { FieldOwners } from './memory-fields.ts';
import { BUILT_IN_KINDS } from './memory-kinds.ts';
import { finalizersOf, keyOf, kindKey, refOf, sameKind } from './memory-refs.ts';

export interface Stored {
  object: LiveObject;
  owners: FieldOwners;
}

/** The objects of a cluster in memory and the kinds that it serves: all that lives in a namespace, or by an owner, goes with it. */
export type MemoryObjects = ReturnType<typeof createMemoryObjects>;

export function createMemoryObjects(clock: Clock) {
  const kinds = new Map(BUILT_IN_KINDS.map((kind) => [kindKey(kind), kind]));
  const stored = new Map<string, Stored>();
  let revision = 0;

  const nextRevision = () => String(++revision);
  const scopeOf = (ref: Pick<ObjectRef, 'apiVersion' | 'kind'>) => kinds.get(kindKey(ref));
  /** The kind as it is served, in the asked version or another one. */
  function servedAs(ref: Pick<ObjectRef, 'apiVersion' | 'kind'>): ResourceKind {
    const found = scopeOf(ref) ?? [...kinds.values()].find((kind) => sameKind(kind, ref));
    if (found) return found;
    throw unservedError(ref);
  }

  function store(key: string, item: Stored): void {
    const { object } = item;
    if (object.metadata.deletionTimestamp && finalizersOf(object).length === 0) {
      forget(key, object);
      return;
    }
    stored.set(key, item);
    if (object.kind !== 'CustomResourceDefinition') return;
    for (const [name, kind] of kinds) if (definedKinds(object, { served: false }).some((one) => sameKind(one, kind))) kinds.delete(name);
    for (const kind of definedKinds(object)) kinds.set(kindKey(kind), kind);
  }

  /** With all that lives in it or by it. */
  function forget(key: string, object: LiveObject): void {
    stored.delete(key);
    const defined = object.kind === 'CustomResourceDefinition' ? definedKinds(object, { served: false }) : [];
    for (const kind of defined) kinds.delete(kindKey(kind));
    for (const [otherKey, { object: other }] of stored) {
      const owned = other.metadata.ownerReferences?.some(({ uid }) => uid === object.metadata.uid);
      if (owned || defined.some((kind) => sameKind(kind, other))) forget(otherKey, other);
    }
    if (object.metadata.namespace !== undefined) finishNamespace(object.metadata.namespace);
  }

  function finishNamespace(name: string): void {
    const key = keyOf({ apiVersion: 'v1', kind: 'Namespace', name });
    const namespace = stored.get(key)?.object;
    if (!namespace?.metadata.deletionTimestamp || inNamespace(name).length > 0) return;
    if (finalizersOf(namespace).length === 0) forget(key, namespace);
  }

  const inNamespace = (name: string) =>
    [...stored.values()].map(({ object }) => object).filter(({ metadata }) => metadata.namespace === name);

  function remove(ref: ObjectRef, { uid }: DeleteOptions): 'deleted' | 'deleting' | 'gone' {
    servedAs(ref);
    const key = keyOf(ref);
    const existing = stored.get(key);
    if (!existing) return 'gone';
    const { object, owners } = existing;
    if (uid !== undefined && uid !== object.metadata.uid) {
      throw new ClusterError(`Precondition failed: UID in precondition: ${uid}, UID in object meta: ${object.metadata.uid}`, {
        status: 409,
        reason: 'Conflict',
      });
    }
    const deletionTimestamp = object.metadata.deletionTimestamp ?? timestamp(clock);
    stored.set(key, {
      object: { ...object, metadata: { ...object.metadata, deletionTimestamp, resourceVersion: nextRevision() } },
      owners,
    });
    if (object.kind === 'Namespace') for (const inside of inNamespace(object.metadata.name)) remove(refOf(inside), {});
    if (object.kind === 'Namespace') finishNamespace(object.metadata.name);
    else if (finalizersOf(object).length === 0) forget(key, object);
    return stored.has(key) ? 'deleting' : 'deleted';
  }

  return { stored, kinds, nextRevision, scopeOf, servedAs, inNamespace, store, remove };
}

export const unservedError = ({ apiVersion, kind }: Pick<ObjectRef, 'apiVersion' | 'kind'>) =>
  new ClusterError(`the cluster does not serve the kind ${apiVersion} ${kind} in any version`, { status: 404, reason: UNSERVED });

interface Definition {
  group?: string;
  scope?: string;
  names?: { kind?: string; plural?: string };
  versions?: { name?: string; served?: boolean }[];
}

/** The kinds of a CustomResourceDefinition, in the versions that are served, or in all. */
function definedKinds({ spec }: LiveObject, { served: onlyServed } = { served: true }): ResourceKind[] {
  const { group, scope, names, versions = [] } = (spec ?? {}) as Definition;
  return versions
    .filter(({ served }) => served || !onlyServed)
    .map(({ name }) => ({
      apiVersion: `${group}/${name}`,
      kind: names?.kind ?? '',
      plural: names?.plural ?? '',
      namespaced: scope !== 'Cluster',
    }));
}
