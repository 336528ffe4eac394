import type { Cluster, Manifest, ObjectRef } from '../../cluster/cluster.ts';
import { refOf } from '../desired/object-key.ts';
import { type Owner, ownedBy } from '../desired/ownership.ts';
import { inParallel } from '../effects/in-parallel.ts';
import { union } from './inventory.ts';

const LISTS_AT_ONCE = 8;

/** What carries a stack's labels, of the kinds in its contents: what it owns, where no inventory says so. */
export async function labelledObjects(
  cluster: Cluster,
  owner: Owner,
  contents: readonly Manifest[],
  signal: AbortSignal,
): Promise<ObjectRef[]> {
  const kinds = new Map(contents.map(({ apiVersion, kind }) => [`${apiVersion} ${kind}`, { apiVersion, kind }]));
  const found = await inParallel([...kinds.values()], LISTS_AT_ONCE, async (kind) => {
    const objects = await cluster.list(kind, { labelSelector: ownedBy(owner), signal });
    // Members of a typed list may leave out what kind they are.
    return objects.map((live) => refOf({ ...live, ...kind }));
  });
  return union([], found.flat());
}
