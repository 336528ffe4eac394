import { type Clock, systemClock } from '../../lib/platform/clock.ts';
import type { Log } from '../../lib/platform/log.ts';
import { inParallel } from '../in-parallel.ts';
import {
  CHANGED,
  type Cluster,
  ClusterError,
  isUnserved,
  type LiveObject,
  type Manifest,
  type ObjectRef,
  type ResourceKind,
  UNSERVED,
} from './cluster.ts';
import { isObject } from './json-object.ts';
import { kubernetesAccess } from './kubernetes-access.ts';
import { type FindKindOptions, kubernetesDiscovery } from './kubernetes-discovery.ts';
import { disown } from './kubernetes-disown.ts';
import { listPages } from './kubernetes-list.ts';
import { liveObject } from './kubernetes-object.ts';
import { kubernetesTransport } from './kubernetes-transport.ts';
import { withoutValuesOf } from './object-values.ts';

export interface KubernetesClusterOptions {
  /** One file, or several as `KUBECONFIG` lists them. Without it: that variable, the user's own file, or the pod's ServiceAccount. */
  kubeconfigPath?: string | undefined;
  /** True: the pod's ServiceAccount and nothing else. */
  inCluster?: 'auto' | boolean | undefined;
  /** Objects per page of a list. */
  pageSize?: number | undefined;
  requestTimeoutMs?: number | undefined;
  maxConnections?: number | undefined;
  log?: Log | undefined;
  clock?: Clock | undefined;
}

const LISTS_AT_ONCE = 8;
/** Forbidden, or a kind that can't be listed here. */
const MAY_NOT_LIST = new Set([403, 404, 405]);

/** The Kubernetes API. Resolves once the access has been read; whether the server can be reached is for `version` to tell. */
export async function createKubernetesCluster(options: KubernetesClusterOptions = {}): Promise<Cluster> {
  const { kubeconfigPath, inCluster, pageSize = 500, clock = systemClock } = options;
  const access = kubernetesAccess({ kubeconfigPath, inCluster, clock });
  await access.current();
  const transport = kubernetesTransport({ ...options, access, clock });
  const discovery = kubernetesDiscovery(transport, clock);

  /** Runs a call on a kind's URLs. Rejects with reason UNSERVED if the server has no such kind. */
  const onKind = async <T>(
    { apiVersion, kind }: Pick<ResourceKind, 'apiVersion' | 'kind'>,
    { call, ...find }: { call: (resource: ResourceKind) => Promise<T> } & FindKindOptions,
  ): Promise<T> => {
    const unserved = () =>
      new ClusterError(`the cluster does not serve the kind ${apiVersion} ${kind}${find.anyVersion ? ' in any version' : ''}`, {
        status: 404,
        reason: UNSERVED,
      });
    const [resource] = await discovery.find(apiVersion, kind, find);
    if (!resource) throw unserved();
    try {
      return await call(resource);
    } catch (error) {
      if (!isUnserved(error)) throw error;
    }
    // The definition has been deleted or replaced since it was read. Discovery may still name a version that is no longer served.
    let refusal: ClusterError | undefined;
    for (const version of await discovery.find(apiVersion, kind, { ...find, fresh: true })) {
      try {
        return await call(version);
      } catch (error) {
        if (!isUnserved(error)) throw error;
        refusal = error;
      }
    }
    if (!refusal) throw unserved();
    const message = `${apiVersion} ${kind} is in discovery, but the API server does not serve it: ${refusal.message}`;
    throw new ClusterError(message, { status: 503, reason: 'ServiceUnavailable', cause: refusal });
  };

  return {
    version: async (signal) => {
      const answer = await transport.send({ method: 'GET', path: '/version', signal });
      if (isObject(answer) && typeof answer.gitVersion === 'string') return answer.gitVersion;
      throw new ClusterError('the API server did not say its version', { status: 502, reason: 'BadAnswer' });
    },

    findKind: async (apiVersion, kind, find) => (await discovery.find(apiVersion, kind, find))[0],

    find: (ref, signal) =>
      onKind<LiveObject | undefined>(ref, {
        signal,
        anyVersion: true,
        call: async (resource) => {
          try {
            return liveObject(await transport.send({ method: 'GET', path: objectPath(resource, ref), signal }), ref);
          } catch (error) {
            if (isMissing(error)) return undefined;
            throw error;
          }
        },
      }),

    list: (kind, { namespace, labelSelector, signal } = {}) =>
      onKind<LiveObject[]>(kind, {
        signal,
        anyVersion: true,
        call: (resource) => listPages({ transport, resource, path: kindPath(resource, namespace), pageSize, labelSelector, signal }),
      }),

    listMetadata: async (of, signal) => {
      const list = (resource: ResourceKind, namespace?: string) =>
        listPages({ transport, resource, path: kindPath(resource, namespace), pageSize, metadataOnly: true, signal });
      if (!('namespace' in of)) return onKind(of, { signal, anyVersion: true, call: (resource) => list(resource) });
      const found = await inParallel(await discovery.inNamespaces(signal), LISTS_AT_ONCE, (resource) =>
        list(resource, of.namespace).catch((error: unknown) => {
          if (error instanceof ClusterError && MAY_NOT_LIST.has(error.status)) return [];
          throw error;
        }),
      );
      return found.flat();
    },

    apply: (manifest, { fieldManager, force, dryRun = false, onto, signal }) => {
      const { apiVersion, kind, metadata } = manifest;
      const ref = { apiVersion, kind, name: metadata.name, ...(metadata.namespace !== undefined && { namespace: metadata.namespace }) };
      // Unknown fields are refused by server-side apply itself, and JSON made of an object has no duplicates: any other validation
      // only has the server parse the body once more, a tenth of the call.
      const query = `fieldManager=${encodeURIComponent(fieldManager)}&force=${force}&fieldValidation=Ignore${dryRun ? '&dryRun=All' : ''}`;
      return onKind<LiveObject>(ref, {
        signal,
        call: async (resource) => {
          const path = `${objectPath(resource, ref)}?${query}`;
          // The type says YAML, and JSON is YAML.
          const body = onto === undefined ? manifest : pinned(manifest, onto);
          return liveObject(
            await transport.send({ method: 'PATCH', path, body, contentType: 'application/apply-patch+yaml', signal }),
            ref,
          );
        },
      }).catch((error: unknown) => {
        throw error instanceof ClusterError ? refusalOf(error, manifest, onto !== undefined) : error;
      });
    },

    delete: (ref, { uid, signal } = {}) =>
      onKind<'deleted' | 'deleting' | 'gone'>(ref, {
        signal,
        anyVersion: true,
        call: async (resource) => {
          const body = {
            apiVersion: 'v1',
            kind: 'DeleteOptions',
            propagationPolicy: 'Background',
            ...(uid !== undefined && { preconditions: { uid } }),
          };
          try {
            return deletionOf(await transport.send({ method: 'DELETE', path: objectPath(resource, ref), body, signal }));
          } catch (error) {
            if (isMissing(error)) return 'gone';
            throw error;
          }
        },
      }),

    disown: (ref, options) =>
      onKind<'disowned' | 'gone'>(ref, {
        signal: options.signal,
        anyVersion: true,
        call: (resource) => disown(transport, objectPath(resource, ref), ref, options),
      }),

    close: () => transport.close(),
  };
}

/** The whole manifest, for one state of one object. No object that exists has the first resource version: that one is the store's. */
const pinned = (manifest: Manifest, onto: 'absent' | { uid: string; resourceVersion?: string }): Manifest => ({
  ...manifest,
  metadata: { ...manifest.metadata, ...(onto === 'absent' ? { resourceVersion: '1' } : onto) },
});

/** The API server refuses a pinned apply as out of date, as one of no object, or as a change of the uid. */
const isOfAnotherObject = (error: unknown): error is ClusterError =>
  error instanceof ClusterError &&
  ((error.status === 409 && /^(?:Conflict|AlreadyExists)$/.test(error.reason) && !/conflicts? with|conflicts?: /i.test(error.message)) ||
    (error.status === 422 && error.message.includes('metadata.uid')));

/** Admission webhooks and conversions write what they like. A new error, since the stack of the old one repeats its message. */
function refusalOf(error: ClusterError, manifest: Manifest, isPinned: boolean): ClusterError {
  const { status, reason, retryAfterMs } = error;
  const message = withoutValuesOf(error.message, manifest);
  if (isPinned && isOfAnotherObject(error)) return new ClusterError(message, { status: 409, reason: CHANGED });
  // Without an answer there is nothing in it that somebody wrote.
  const cause = status === 0 ? { cause: error.cause } : {};
  return new ClusterError(message, { status, reason, ...(retryAfterMs !== undefined && { retryAfterMs }), ...cause });
}

const isMissing = (error: unknown): boolean => error instanceof ClusterError && error.status === 404 && error.reason === 'NotFound';

/** The answer is a Status or the object: as it was when it went, or as it is while something holds it. */
function deletionOf(answer: unknown): 'deleted' | 'deleting' {
  const metadata = isObject(answer) && isObject(answer.metadata) ? answer.metadata : {};
  return metadata.deletionTimestamp === undefined ? 'deleted' : 'deleting';
}

function kindPath({ apiVersion, plural, namespaced }: ResourceKind, namespace: string | undefined): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return namespaced && namespace !== undefined ? `${root}/namespaces/${segment('namespace', namespace)}/${plural}` : `${root}/${plural}`;
}

function objectPath(resource: ResourceKind, { namespace, name }: ObjectRef): string {
  if (!resource.namespaced || namespace !== undefined) return `${kindPath(resource, namespace)}/${segment('name', name)}`;
  throw new ClusterError(`${resource.kind} ${name} names no namespace`, { status: 400, reason: 'BadRequest' });
}

/**
 * No name of any kind has these. An empty one would turn a call on one object into one on all of its kind, and the API server decodes
 * a path before it splits it: `web/scale` would be a part of the object `web`, however it is encoded.
 */
function segment(field: 'name' | 'namespace', value: string): string {
  if (value !== '' && value !== '.' && value !== '..' && !/[/%]/.test(value)) return encodeURIComponent(value);
  throw new ClusterError(`metadata.${field}: Invalid value: must be a name without slashes and percent signs`, {
    status: 422,
    reason: 'Invalid',
  });
}
