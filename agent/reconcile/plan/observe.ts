import type { Cluster, LiveObject, ObjectRef } from '../../cluster/cluster.ts';
import { objectKey, refOf } from '../desired/object-key.ts';
import { inParallel } from '../effects/in-parallel.ts';

const LISTS_AT_ONCE = 8;

/**
 * The live objects among `refs` which the selector picks: one list for each kind and namespace, however many objects there are.
 * Kinds the cluster doesn't serve have no objects.
 */
export async function observe(
  cluster: Cluster,
  refs: readonly ObjectRef[],
  labelSelector: string,
  signal?: AbortSignal,
): Promise<Map<string, LiveObject>> {
  const wanted = new Set(refs.map(objectKey));
  const places = new Map(
    refs.map(({ apiVersion, kind, namespace }) => [`${apiVersion} ${kind} ${namespace ?? ''}`, { apiVersion, kind, namespace }]),
  );
  const found = await inParallel([...places.values()], LISTS_AT_ONCE, async ({ apiVersion, kind, namespace }) => {
    const objects = await cluster.list(
      { apiVersion, kind },
      { labelSelector, ...(namespace !== undefined && { namespace }), ...(signal && { signal }) },
    );
    // Members of a typed list may leave out what kind they are.
    return objects.map((live) => [objectKey({ ...refOf(live), apiVersion, kind }), live] as const);
  });
  return new Map(found.flat().filter(([key]) => wanted.has(key)));
}
