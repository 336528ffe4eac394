import { MESSAGES } from '../../operator-messages.ts';
import type { Owner } from '../desired/ownership.ts';
import { countsText, type Outcome } from '../effects/outcome.ts';
import { keysOf } from '../inventory/inventory.ts';
import { observeOwned } from '../inventory/observe-owned.ts';
import { type PruneReason, plan } from '../plan/plan.ts';
import type { AttemptPorts } from './attempt-ports.ts';
import { pruneStages, withPrune } from './prune.ts';

export interface RemovalResult {
  outcome: Outcome;
  /** The keys of what is not gone yet. */
  remaining: ReadonlySet<string>;
}

/** Deletes all a stack owns, in reverse order. The inventory is gone only when everything is. May run any number of times. */
export async function removeStackObjects(ports: AttemptPorts, owner: Owner, pruneReason: PruneReason): Promise<RemovalResult> {
  const { effects, inventories, guard } = ports;
  const inventory = inventories.find(owner.stackId);
  if (!inventory) {
    guard.done(owner.stackId);
    return { outcome: { status: 'SUCCESS', summary: MESSAGES.nothingLeft(), objects: [] }, remaining: new Set() };
  }
  const observed = await observeOwned(effects, inventory, inventory.objects);
  const planned = plan({
    owner,
    desired: [],
    inventory: inventory.objects,
    ...observed,
    adopted: new Set(inventory.adopted),
    apply: 'all',
    pruneReason,
  });
  const pruned = await pruneStages(ports, owner, planned);
  if (pruned.survivors.length > 0) await inventories.put({ ...inventory, isApplied: false, objects: pruned.survivors });
  else await inventories.remove(owner.stackId);
  const remaining = keysOf(pruned.survivors);
  const summary = remaining.size > 0 ? MESSAGES.notAllGone(remaining.size) : countsText(pruned.outcomes);
  return { outcome: withPrune(pruned, pruned.outcomes, summary), remaining };
}
