import { ClusterError, isUnserved, type ResourceKind, UNSERVED } from '../cluster.ts';
import type { FindKindOptions, KubernetesDiscovery } from './kubernetes-discovery.ts';

export type OnKind = ReturnType<typeof createOnKind>;

/** Runs a call on a kind's URLs. Rejects with reason UNSERVED if the server has no such kind. */
export const createOnKind =
  (discovery: KubernetesDiscovery) =>
  async <T>(
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
