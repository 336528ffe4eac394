import { type Clock, systemClock, timestamp } from '../../lib/platform/clock.ts';
import { newId } from '../../lib/platform/ids.ts';
import {
  type ApplyOptions,
  CHANGED,
  type Cluster,
  ClusterError,
  type DeleteOptions,
  groupOf,
  type ListOptions,
  type LiveObject,
  type Manifest,
  type ObjectRef,
  type ResourceKind,
  UNSERVED,
} from './cluster.ts';
import { type FieldOwners, mergeApply, same } from './memory-fields.ts';
import { BUILT_IN_KINDS } from './memory-kinds.ts';
import { settledStatus } from './memory-workloads.ts';

/** One call as it reaches the cluster. */
export interface ClusterCall {
  verb: 'version' | 'find' | 'list' | 'apply' | 'dry-run' | 'delete' | 'disown';
  kind: string;
  namespace?: string;
  name: string;
}

/** A cluster that exists only in this process, and what tests may do to it besides. */
export interface MemoryCluster extends Cluster {
  /** Awaited before each call; what it throws is the call's failure. */
  intercept: ((call: ClusterCall) => void | Promise<void>) | undefined;
  /** Awaited after a call took effect: what it throws is an answer lost. */
  afterwards: ((call: ClusterCall) => void | Promise<void>) | undefined;
  /** Plays a controller: replaces an object's status. */
  setStatus(ref: ObjectRef, status: Record<string, unknown>): void;
  /** Kinds in here get no status by themselves from now on. */
  unattended: Set<string>;
  all(): LiveObject[];
}

interface Stored {
  object: LiveObject;
  owners: FieldOwners;
}

const DNS_NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
const FREE_NAMES = new Set(['Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding']);

export function createMemoryCluster({
  clock = systemClock,
  namespaces = ['default'],
}: {
  clock?: Clock;
  namespaces?: readonly string[];
} = {}): MemoryCluster {
  const kinds = new Map(BUILT_IN_KINDS.map((kind) => [kindKey(kind), kind]));
  const stored = new Map<string, Stored>();
  let revision = 0;

  const nextRevision = () => String(++revision);
  const scopeOf = (ref: Pick<ObjectRef, 'apiVersion' | 'kind'>) => kinds.get(kindKey(ref));
  const sameKind = (a: Pick<ObjectRef, 'apiVersion' | 'kind'>, b: Pick<ObjectRef, 'apiVersion' | 'kind'>) =>
    a.kind === b.kind && groupOf(a.apiVersion) === groupOf(b.apiVersion);
  const unserved = ({ apiVersion, kind }: Pick<ObjectRef, 'apiVersion' | 'kind'>) =>
    new ClusterError(`the cluster does not serve the kind ${apiVersion} ${kind} in any version`, { status: 404, reason: UNSERVED });
  /** The kind as it is served, in the asked version or another one. */
  function servedAs(ref: Pick<ObjectRef, 'apiVersion' | 'kind'>): ResourceKind {
    const found = scopeOf(ref) ?? [...kinds.values()].find((kind) => sameKind(kind, ref));
    if (found) return found;
    throw unserved(ref);
  }
  const notFound = (what: string) => new ClusterError(`${what} not found`, { status: 404, reason: 'NotFound' });

  async function called<T>(call: ClusterCall, signal: AbortSignal | undefined, run: () => T): Promise<T> {
    signal?.throwIfAborted();
    await cluster.intercept?.(call);
    signal?.throwIfAborted();
    const result = run();
    await cluster.afterwards?.(call);
    return result;
  }

  function check(manifest: Manifest): ResourceKind {
    const { apiVersion, kind, metadata } = manifest;
    const served = scopeOf(manifest);
    if (!served) throw unserved({ apiVersion, kind });
    const invalid = (message: string) =>
      new ClusterError(`${kind} "${metadata.name}" is invalid: ${message}`, { status: 422, reason: 'Invalid' });
    if (!FREE_NAMES.has(kind) && !DNS_NAME.test(metadata.name)) throw invalid('metadata.name: must be a lowercase RFC 1123 name');
    if (served.namespaced && metadata.namespace === undefined)
      throw new ClusterError('the namespace is missing', { status: 400, reason: 'BadRequest' });
    if (kind === 'ConfigMap' && Object.values(manifest.data ?? {}).some((value) => typeof value !== 'string'))
      throw invalid('data: values must be strings');
    const namespace =
      served.namespaced && metadata.namespace !== undefined
        ? stored.get(keyOf({ apiVersion: 'v1', kind: 'Namespace', name: metadata.namespace }))
        : undefined;
    if (served.namespaced && !namespace) throw notFound(`namespaces "${metadata.namespace}"`);
    if (namespace?.object.metadata.deletionTimestamp && !stored.has(keyOf(refOf(manifest)))) {
      throw new ClusterError(`${kind} "${metadata.name}" is forbidden: namespace ${metadata.namespace} is being terminated`, {
        status: 403,
        reason: 'Forbidden',
      });
    }
    return served;
  }

  function apply(manifest: Manifest, { fieldManager, force, dryRun, onto }: ApplyOptions): LiveObject {
    check(manifest);
    const key = keyOf(refOf(manifest));
    const existing = stored.get(key);
    if (onto !== undefined && !isOnto(existing?.object, onto)) {
      throw new ClusterError(`${manifest.kind} "${manifest.metadata.name}" is not what it was`, { status: 409, reason: CHANGED });
    }
    const now = timestamp(clock);
    const fresh = {
      apiVersion: manifest.apiVersion,
      kind: manifest.kind,
      metadata: { ...refMetadata(manifest), uid: newId(), creationTimestamp: now, resourceVersion: '' },
    };
    const merged = mergeApply(
      { fields: { ...(existing?.object ?? fresh) }, owners: existing?.owners ?? new Map() },
      manifest,
      fieldManager,
      force,
    );
    if ('conflicts' in merged) {
      const { length } = merged.conflicts;
      throw new ClusterError(`Apply failed with ${length} conflict${length === 1 ? '' : 's'}: ${merged.conflicts.join(', ')}`, {
        status: 409,
        reason: 'Conflict',
      });
    }
    const object = { ...merged.fields, apiVersion: manifest.apiVersion } as LiveObject;
    if (existing && same(existing.object, object)) {
      if (!dryRun) stored.set(key, { object: existing.object, owners: merged.owners });
      return existing.object;
    }
    const meant = ({ metadata: _m, status: _s, ...rest }: LiveObject) => rest;
    const generation = (existing?.object.metadata.generation ?? 0) + (existing && same(meant(existing.object), meant(object)) ? 0 : 1);
    object.metadata = { ...object.metadata, generation };
    if (dryRun) return object;
    object.metadata.resourceVersion = nextRevision();
    if (!cluster.unattended.has(object.kind)) setSettled(object, now);
    store(key, { object, owners: merged.owners });
    return object;
  }

  function setSettled(object: LiveObject, now: string): void {
    const status = settledStatus(object, now);
    if (status) object.status = status;
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

  const cluster: MemoryCluster = {
    intercept: undefined,
    afterwards: undefined,
    unattended: new Set(),
    version: (signal) => called({ verb: 'version', kind: '', name: '' }, signal, () => 'v1.36.0-memory'),
    findKind: async (apiVersion, kind) => kinds.get(kindKey({ apiVersion, kind })),
    find: (ref, signal) =>
      called({ verb: 'find', ...callRef(ref) }, signal, () => {
        const { apiVersion } = servedAs(ref);
        const found = stored.get(keyOf(ref))?.object;
        return found && asVersion(found, apiVersion);
      }),
    list: (kind, { namespace, labelSelector = '', signal }: ListOptions = {}) =>
      called({ verb: 'list', kind: kind.kind, name: '', ...(namespace !== undefined && { namespace }) }, signal, () => {
        const selects = selector(labelSelector);
        const { apiVersion } = servedAs(kind);
        return [...stored.values()]
          .map(({ object }) => object)
          .filter(
            (object) =>
              sameKind(object, kind) &&
              (namespace === undefined || object.metadata.namespace === namespace) &&
              selects(object.metadata.labels ?? {}),
          )
          .map((object) => asVersion(object, apiVersion));
      }),
    apply: (manifest, options) =>
      called({ verb: options.dryRun ? 'dry-run' : 'apply', ...callRef(refOf(manifest)) }, options.signal, () => apply(manifest, options)),
    listMetadata: (of, signal) =>
      called({ verb: 'list', kind: 'kind' in of ? of.kind : '', name: '', ...('namespace' in of && of) }, signal, () => {
        if ('namespace' in of) return inNamespace(of.namespace);
        servedAs(of);
        return [...stored.values()].map(({ object }) => object).filter((object) => sameKind(object, of));
      }),
    disown: (ref, options) =>
      called({ verb: 'disown', ...callRef(ref) }, options.signal, () => {
        const existing = stored.get(keyOf(ref));
        if (existing?.object.metadata.uid !== options.uid) return 'gone';
        const object = structuredClone(existing.object);
        for (const name of options.labels) delete object.metadata.labels?.[name];
        for (const name of options.annotations) delete object.metadata.annotations?.[name];
        object.metadata.resourceVersion = nextRevision();
        const owners = new Map([...existing.owners].filter(([manager]) => manager !== options.fieldManager));
        stored.set(keyOf(ref), { object, owners });
        return 'disowned';
      }),
    delete: (ref, options = {}) => called({ verb: 'delete', ...callRef(ref) }, options.signal, () => remove(ref, options)),
    close: async () => {},
    setStatus(ref, status) {
      const existing = stored.get(keyOf(ref));
      if (!existing) throw notFound(ref.name);
      const { object, owners } = existing;
      stored.set(keyOf(ref), { object: { ...object, status, metadata: { ...object.metadata, resourceVersion: nextRevision() } }, owners });
    },
    all: () => [...stored.values()].map(({ object }) => object),
  };
  for (const name of namespaces)
    apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, { fieldManager: 'kube-apiserver', force: true });
  return cluster;
}

const kindKey = ({ apiVersion, kind }: Pick<ObjectRef, 'apiVersion' | 'kind'>): string => `${apiVersion} ${kind}`;
const keyOf = ({ apiVersion, kind, namespace = '', name }: ObjectRef): string =>
  `${apiVersion.replace(/\/?[^/]*$/, '')}/${kind}/${namespace}/${name}`;
const refMetadata = ({ metadata: { name, namespace } }: Manifest) => ({ name, ...(namespace !== undefined && { namespace }) });
const refOf = (manifest: Manifest): ObjectRef => ({ apiVersion: manifest.apiVersion, kind: manifest.kind, ...refMetadata(manifest) });
const callRef = ({ kind, namespace, name }: ObjectRef) => ({ kind, name, ...(namespace !== undefined && { namespace }) });

const asVersion = (object: LiveObject, apiVersion: string): LiveObject =>
  object.apiVersion === apiVersion ? object : { ...object, apiVersion };

const finalizersOf = ({ metadata: { finalizers } }: LiveObject): unknown[] => (Array.isArray(finalizers) ? finalizers : []);

const isOnto = (existing: LiveObject | undefined, onto: NonNullable<ApplyOptions['onto']>): boolean =>
  onto === 'absent'
    ? existing === undefined
    : existing?.metadata.uid === onto.uid && [undefined, existing.metadata.resourceVersion].includes(onto.resourceVersion);

/** `a=b`, `a!=b`, `a` and `!a`, all of which must hold. */
function selector(text: string): (labels: Record<string, string>) => boolean {
  const terms = text.split(',').filter((term) => term !== '');
  return (labels) =>
    terms.every((term) => {
      const [name = '', value] = term.split(/==?|!=/, 2);
      if (value === undefined) return term.startsWith('!') ? labels[term.slice(1)] === undefined : labels[name] !== undefined;
      return term.includes('!=') ? labels[name] !== value : labels[name] === value;
    });
}

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
