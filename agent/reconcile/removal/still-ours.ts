import { isOwned, type Owner } from '../desired/ownership.ts';
import { retrying } from '../effects/cluster-effects.ts';
import { objectOutcome } from '../effects/outcome.ts';
import type { Action } from '../plan/plan.ts';
import type { AttemptPorts } from './attempt-ports.ts';
import type { PruneProgress } from './prune-progress.ts';

/**
 * The actions without those on objects that another stack has taken over since they were looked at. Only what is in the other stack's inventory,
 * which is written first, is looked at again.
 */
export async function stillOurs<A extends Extract<Action, { do: 'prune' | 'release' }>>(
  { effects, inventories }: AttemptPorts,
  owner: Owner,
  prune: PruneProgress,
  actions: readonly A[],
): Promise<A[]> {
  const isOthers = inventories.ownedByOthers(owner.stackId);
  const ours: A[] = [];
  for (const action of actions) {
    const { ref } = action;
    const live = isOthers(ref) ? await retrying(effects, () => effects.cluster.find(ref, effects.stop)) : action.live;
    if (live && !isOwned(live, owner)) prune.outcomes.push(objectOutcome(ref, { action: 'skipped', because: 'not labelled as ours' }));
    else ours.push(action);
  }
  return ours;
}
