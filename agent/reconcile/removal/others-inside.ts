import { contentOf } from '../desired/containers.ts';
import type { Action } from '../plan/plan.ts';
import type { AttemptPorts } from './attempt-ports.ts';

/** Other stacks whose objects would go with a Namespace or a CustomResourceDefinition. */
export interface OthersInside {
  /** They are not to be removed: the container has to stay. */
  staying: string[];
  /** They are: it waits for them. */
  leaving: string[];
}

/** A stack whose inventory can't be read may have objects anywhere. */
export function othersInside(
  { inventories, leavingStacks }: Pick<AttemptPorts, 'inventories' | 'leavingStacks'>,
  stackId: string,
  action: Pick<Extract<Action, { do: 'prune' }>, 'ref' | 'live'>,
): OthersInside {
  const contains = contentOf(action.ref, action.live);
  if (!contains) return { staying: [], leaving: [] };
  const inside = inventories.all().filter(({ objects }) => objects.some(contains));
  const others = [...inside.map((inventory) => inventory.stackId), ...inventories.unreadable()].filter((id) => id !== stackId).sort();
  const going = leavingStacks();
  return { staying: others.filter((id) => !going.has(id)), leaving: others.filter((id) => going.has(id)) };
}
