import { type Cluster, isUnserved, type Manifest, type ObjectRef } from '../../cluster/cluster.ts';
import { inParallel } from '../../in-parallel.ts';
import { refOf } from '../desired/object-key.ts';
import { type Owner, ownedBy } from '../desired/ownership.ts';
import { union } from './inventory.ts';
import { isGoneWithDefinition, ownDefinitions } from './observe-owned.ts';

const LISTS_AT_ONCE = 8;

/** The objects with a stack's labels, of the kinds in its contents. Rejects if a kind can't be asked for: there may be more of them. */
export async function labelledObjects(
  cluster: Cluster,
  owner: Owner,
  contents: readonly Manifest[],
  signal: AbortSignal,
): Promise<ObjectRef[]> {
  const definitions = ownDefinitions(contents);
  const kinds = new Map(contents.map(({ apiVersion, kind }) => [`${apiVersion} ${kind}`, { apiVersion, kind }]));
  const found = await inParallel([...kinds.values()], LISTS_AT_ONCE, async (kind) => {
    const objects = await cluster.list(kind, { labelSelector: ownedBy(owner), signal }).catch(async (error: unknown) => {
      if (isUnserved(error) && (await isGoneWithDefinition(cluster, definitions, kind, signal))) return [];
      throw error;
    });
    // Members of a typed list may leave out what kind they are.
    return objects.map((live) => refOf({ ...live, ...kind }));
  });
  return union([], found.flat());
}
