import { type Clock, systemClock } from '../../../lib/platform/clock.ts';
import type { Log } from '../../../lib/platform/log.ts';
import { inParallel } from '../../in-parallel.ts';
import { type Cluster, ClusterError, type LiveObject, type ResourceKind } from '../cluster.ts';
import { isObject } from '../json-object.ts';
import { kubernetesAccess } from './kubernetes-access.ts';
import { applyOn } from './kubernetes-apply.ts';
import { kubernetesDiscovery } from './kubernetes-discovery.ts';
import { disown } from './kubernetes-disown.ts';
import { listPages } from './kubernetes-list.ts';
import { liveObject } from './kubernetes-object.ts';
import { kindPath, objectPath } from './kubernetes-paths.ts';
import { createOnKind } from './kubernetes-served-kind.ts';
import { takeFields } from './kubernetes-take-fields.ts';
import { kubernetesTransport } from './kubernetes-transport.ts';

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
const LOG_LINES = 500;
const LOG_BYTES = 1024 * 1024;
const PODS: ResourceKind = { apiVersion: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };
/** Forbidden, or a kind that can't be listed here. */
const MAY_NOT_LIST = new Set([403, 404, 405]);

/** The Kubernetes API. Resolves once the access has been read; whether the server can be reached is for `version` to tell. */
export async function createKubernetesCluster(options: KubernetesClusterOptions = {}): Promise<Cluster> {
  const { kubeconfigPath, inCluster, pageSize = 500, clock = systemClock } = options;
  const access = kubernetesAccess({ kubeconfigPath, inCluster, clock });
  await access.current();
  const transport = kubernetesTransport({ ...options, access, clock });
  const discovery = kubernetesDiscovery(transport, clock);

  const onKind = createOnKind(discovery);

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
      if ('kind' in of) return onKind(of, { signal, anyVersion: true, call: (resource) => list(resource, of.namespace) });
      const found = await inParallel(await discovery.inNamespaces(signal), LISTS_AT_ONCE, (resource) =>
        list(resource, of.namespace).catch((error: unknown) => {
          if (error instanceof ClusterError && MAY_NOT_LIST.has(error.status)) return [];
          throw error;
        }),
      );
      return found.flat();
    },

    apply: (manifest, apply) => applyOn({ onKind, transport }, manifest, apply),

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

    takeFields: (ref, options) =>
      onKind<string | undefined>(ref, {
        signal: options.signal,
        call: (resource) => takeFields(transport, objectPath(resource, ref), ref, options),
      }),

    podLog: async ({ namespace, name, container }, signal) => {
      const query = new URLSearchParams({ tailLines: String(LOG_LINES), limitBytes: String(LOG_BYTES), ...(container && { container }) });
      const path = `${objectPath(PODS, { apiVersion: 'v1', kind: 'Pod', namespace, name })}/log?${query}`;
      return String(await transport.send({ method: 'GET', path, accept: 'text/plain, application/json', asText: true, signal }));
    },

    close: () => transport.close(),
  };
}

const isMissing = (error: unknown): boolean => error instanceof ClusterError && error.status === 404 && error.reason === 'NotFound';

/** The answer is a Status or the object: as it was when it went, or as it is while something holds it. */
function deletionOf(answer: unknown): 'deleted' | 'deleting' {
  const metadata = isObject(answer) && isObject(answer.metadata) ? answer.metadata : {};
  return metadata.deletionTimestamp === undefined ? 'deleted' : 'deleting';
}
