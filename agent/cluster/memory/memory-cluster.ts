import { type Clock, systemClock } from '../../../lib/platform/clock.ts';
import { type Cluster, ClusterError, type ListOptions, type LiveObject, type ObjectRef } from '../cluster.ts';
import { applyInMemory } from './memory-apply.ts';
import { createMemoryObjects } from './memory-objects.ts';
import { disownInMemory, takeInMemory } from './memory-ownership.ts';
import { asVersion, callRef, keyOf, kindKey, refOf, sameKind, selector } from './memory-refs.ts';

/** One call as it reaches the cluster. */
export interface ClusterCall {
  verb: 'version' | 'find' | 'list' | 'apply' | 'dry-run' | 'delete' | 'disown' | 'take' | 'log';
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
  /** The logs of pods, by `namespace/name`. */
  logs: Map<string, string>;
  /** Kinds in here get no status by themselves from now on. */
  unattended: Set<string>;
  all(): LiveObject[];
}

export function createMemoryCluster({
  clock = systemClock,
  namespaces = ['default'],
}: {
  clock?: Clock;
  namespaces?: readonly string[];
} = {}): MemoryCluster {
  const objects = createMemoryObjects(clock);
  const { stored, kinds, servedAs, inNamespace, nextRevision } = objects;
  const attended = (kind: string) => !cluster.unattended.has(kind);

  async function called<T>(call: ClusterCall, signal: AbortSignal | undefined, run: () => T): Promise<T> {
    signal?.throwIfAborted();
    await cluster.intercept?.(call);
    signal?.throwIfAborted();
    const result = run();
    await cluster.afterwards?.(call);
    return result;
  }

  const cluster: MemoryCluster = {
    intercept: undefined,
    afterwards: undefined,
    logs: new Map(),
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
      called({ verb: options.dryRun ? 'dry-run' : 'apply', ...callRef(refOf(manifest)) }, options.signal, () =>
        applyInMemory(objects, manifest, options, { clock, attended }),
      ),
    listMetadata: (of, signal) =>
      called(
        { verb: 'list', kind: 'kind' in of ? of.kind : '', name: '', ...(of.namespace !== undefined && { namespace: of.namespace }) },
        signal,
        () => {
          if (!('kind' in of)) return inNamespace(of.namespace);
          const { apiVersion } = servedAs(of);
          const inside = of.namespace === undefined ? [...stored.values()].map(({ object }) => object) : inNamespace(of.namespace);
          return inside.filter((object) => sameKind(object, of)).map((object) => asVersion(object, apiVersion));
        },
      ),
    disown: (ref, options) => called({ verb: 'disown', ...callRef(ref) }, options.signal, () => disownInMemory(objects, ref, options)),
    takeFields: (ref, options) => called({ verb: 'take', ...callRef(ref) }, options.signal, () => takeInMemory(objects, ref, options)),
    delete: (ref, options = {}) => called({ verb: 'delete', ...callRef(ref) }, options.signal, () => objects.remove(ref, options)),
    podLog: ({ namespace, name }, signal) =>
      called({ verb: 'log', kind: 'Pod', namespace, name }, signal, () => {
        const log = cluster.logs.get(`${namespace}/${name}`);
        if (log === undefined) throw new ClusterError('this cluster keeps no logs', { status: 404, reason: 'NotFound' });
        return log;
      }),
    close: async () => {},
    setStatus(ref, status) {
      const existing = stored.get(keyOf(ref));
      if (!existing) throw new Error(`there is no ${ref.kind} ${ref.name}`);
      const { object, owners } = existing;
      stored.set(keyOf(ref), { object: { ...object, status, metadata: { ...object.metadata, resourceVersion: nextRevision() } }, owners });
    },
    all: () => [...stored.values()].map(({ object }) => object),
  };
  for (const name of namespaces)
    applyInMemory(objects, namespaceNamed(name), { fieldManager: 'kube-apiserver', force: true }, { clock, attended });
  return cluster;
}

const namespaceNamed = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
