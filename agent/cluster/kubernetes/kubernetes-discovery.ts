import * as z from 'zod';
import type { Clock } from '../../../lib/platform/clock.ts';
import { ClusterError, groupOf, type ResourceKind } from '../cluster.ts';
import type { KubernetesTransport } from './kubernetes-transport.ts';

/** All groups, versions and kinds in one document. Every authenticated user may read it. In Kubernetes since 1.27. */
const ACCEPT = ['v2', 'v2beta1'].map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`).join(',');

const GroupList = z.looseObject({
  kind: z.literal('APIGroupDiscoveryList'),
  items: z.array(
    z.looseObject({
      metadata: z.looseObject({ name: z.string().default('') }).default({ name: '' }),
      versions: z.array(
        z.looseObject({
          version: z.string(),
          freshness: z.string().optional(),
          resources: z
            .array(
              z.looseObject({
                resource: z.string(),
                scope: z.string(),
                verbs: z.array(z.string()).default([]),
                subresources: z.array(z.looseObject({ subresource: z.string() })).default([]),
                responseKind: z.looseObject({ kind: z.string() }).nullish(),
              }),
            )
            .default([]),
        }),
      ),
    }),
  ),
});

interface Snapshot {
  kinds: Map<string, ResourceKind>;
  /** The versions of a kind by `group/kind`, in the server's order of preference. */
  versions: Map<string, ResourceKind[]>;
  /** The kinds that can be listed. */
  listable: Set<ResourceKind>;
  /** Versions whose own server didn't answer: what they lack here may well exist. */
  stale: Set<string>;
  readMs: number;
}

export interface FindKindOptions {
  /** Asks the server whatever is cached. */
  fresh?: boolean | undefined;
  /** If the asked version is not served, another one will do: the objects are the same in all of them. Such a miss is never a cached one. */
  anyVersion?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

export interface KubernetesDiscovery {
  /** The kind in the asked version, and with `anyVersion` in the others after it, in the server's order of preference. */
  find(apiVersion: string, kind: string, options?: FindKindOptions): Promise<ResourceKind[]>;
  /** The kinds that objects in a namespace may be of and that can be listed, each in one version. Rejects while a server of kinds is away. */
  inNamespaces(signal?: AbortSignal): Promise<ResourceKind[]>;
}

/** A kind that isn't known is looked for again, but a stack full of typos must not ask the server once for each. */
const MISS_PAUSE_MS = 1000;

export function kubernetesDiscovery(transport: KubernetesTransport, clock: Clock): KubernetesDiscovery {
  let snapshot: Snapshot | undefined;
  let running: Promise<Snapshot> | undefined;
  let queued: Promise<Snapshot> | undefined;

  const read = async (): Promise<Snapshot> => {
    const lists = await Promise.all(['/api', '/apis'].map((path) => transport.send({ method: 'GET', path, accept: ACCEPT })));
    snapshot = { ...indexKinds(lists), readMs: clock.monotonicMs() };
    return snapshot;
  };
  const start = (): Promise<Snapshot> => {
    running = read().finally(() => {
      running = undefined;
    });
    return running;
  };
  /** Single-flight, but never joined by who asks later: what it missed may be just what they are looking for. */
  const refresh = (): Promise<Snapshot> => {
    if (!running) return start();
    queued ??= running
      .catch(() => {})
      .then(() => {
        queued = undefined;
        return start();
      });
    return queued;
  };

  return {
    find: async (apiVersion, kind, { fresh = false, anyVersion = false, signal } = {}) => {
      const key = `${apiVersion}/${kind}`;
      const group = groupOf(apiVersion);
      const known = ({ kinds, versions }: Snapshot) => {
        const exact = kinds.get(key);
        const others = anyVersion ? (versions.get(`${group}/${kind}`) ?? []).filter((resource) => resource !== exact) : [];
        return [...(exact ? [exact] : []), ...others];
      };
      let seen = fresh || !snapshot ? await untilAborted(fresh ? refresh() : (running ?? start()), signal) : snapshot;
      const isOld = () => clock.monotonicMs() - seen.readMs >= MISS_PAUSE_MS || (anyVersion && known(seen).length === 0);
      if (!seen.kinds.has(key) && !fresh && isOld()) seen = await untilAborted(refresh(), signal);
      const found = known(seen);
      const silent = [...seen.stale].find((version) => version === apiVersion || (anyVersion && groupOf(version) === group));
      if (found.length === 0 && silent !== undefined) {
        throw unanswered(silent);
      }
      return found;
    },
    inNamespaces: async (signal) => {
      const { versions, listable, stale } = await untilAborted(refresh(), signal);
      for (const version of stale) throw unanswered(version);
      return [...versions.values()].flatMap((all) => all.find((kind) => kind.namespaced && listable.has(kind)) ?? []);
    },
  };
}

const unanswered = (version: string) =>
  new ClusterError(`the server of ${version} does not answer the API server`, { status: 503, reason: 'ServiceUnavailable' });

function indexKinds(lists: readonly unknown[]): Omit<Snapshot, 'readMs'> {
  const kinds = new Map<string, ResourceKind>();
  const stale = new Set<string>();
  const listable = new Set<ResourceKind>();
  for (const list of lists) {
    for (const { metadata, versions } of parseGroups(list)) {
      for (const { version, freshness, resources } of versions) {
        const apiVersion = metadata.name === '' ? version : `${metadata.name}/${version}`;
        if (freshness === 'Stale') stale.add(apiVersion);
        for (const { resource: plural, scope, verbs, subresources, responseKind } of resources) {
          const key = `${apiVersion}/${responseKind?.kind}`;
          // If several resources share a kind, the one that objects are applied to is meant.
          if (!responseKind || (kinds.has(key) && !verbs.includes('patch'))) continue;
          const hasStatus = subresources.some(({ subresource }) => subresource === 'status');
          const resource = { apiVersion, kind: responseKind.kind, plural, namespaced: scope === 'Namespaced', hasStatus };
          kinds.set(key, resource);
          if (verbs.includes('list')) listable.add(resource);
        }
      }
    }
  }
  const versions = new Map<string, ResourceKind[]>();
  for (const resource of kinds.values()) {
    const key = `${groupOf(resource.apiVersion)}/${resource.kind}`;
    versions.set(key, [...(versions.get(key) ?? []), resource]);
  }
  return { kinds, versions, listable, stale };
}

function parseGroups(list: unknown): z.infer<typeof GroupList>['items'] {
  const result = GroupList.safeParse(list);
  if (result.success) return result.data.items;
  throw new ClusterError('the API server has no aggregated discovery: Kubernetes 1.27 or later is needed', {
    status: 501,
    reason: 'BadAnswer',
  });
}

/** The shared read goes on for the others when one caller gives up. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason);
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}
