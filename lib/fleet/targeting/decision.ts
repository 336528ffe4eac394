import type { Database, Item } from '../../platform/database/database.ts';
import { agentSelectorsKey, agentTargetKey, fleetTable, stackKey, stackSelectorsKey } from '../fleet-table.ts';
import type { StackHead } from '../stacks/stack.ts';
import { StoredStack } from '../stacks/stack-repository.ts';
import { isSelected } from './selection.ts';
import type { Told } from './told.ts';

const table = fleetTable.name;
/** One transaction reads at most 100 items: the agent's selectors and three items for each stack. */
const STACKS_AT_ONCE = 33;

/**
 * Decides on each of these stacks by one serializable read: its selectors, the agent's selectors, the explicit target and the head are
 * of the same moment. Nothing else may withdraw a stack: many reads are not of one moment, and while a label is added and another one
 * is removed, each of them can miss a stack that matches all the time. `told` must have been read before.
 */
export async function decideOnStacks(
  database: Database,
  agentId: string,
  told: ReadonlyMap<string, Told | undefined>,
): Promise<Map<string, Told | undefined>> {
  const decided = new Map<string, Told | undefined>();
  const stackIds = [...told.keys()];
  for (let from = 0; from < stackIds.length; from += STACKS_AT_ONCE) {
    const some = stackIds.slice(from, from + STACKS_AT_ONCE);
    const [agent, ...items] = await database.transactGet(table, [
      agentSelectorsKey(agentId),
      ...some.flatMap((stackId) => [stackSelectorsKey(stackId), agentTargetKey(agentId, stackId), stackKey(stackId)]),
    ]);
    for (const [n, stackId] of some.entries()) {
      const [stack, target, home] = items.slice(n * 3, n * 3 + 3);
      // A stack that exists without its item of selectors is a fault, and no reason to withdraw the stack.
      const selected = stack ? isSelected({ stack, agent, target }) : home !== undefined;
      decided.set(stackId, selected ? assigned(told.get(stackId), headIn(home)) : withdrawn(told.get(stackId)));
    }
  }
  return decided;
}

const headIn = (home: Item | undefined): StackHead | undefined => home && StoredStack.parse(home).latest_object;

/** A head never goes back. A stack without a deployment object is not assigned; after it had one, it keeps one. */
export function assigned(before: Told | undefined, head: StackHead | undefined): Told | undefined {
  const newest = before && (!head || head.sequence < before.head.sequence) ? before.head : head;
  return newest && { state: 'assigned', head: newest };
}

/** If the agent was never told of a stack, it has nothing to remove. */
const withdrawn = (before: Told | undefined): Told | undefined => before && { state: 'withdrawn', head: before.head };
