import type { Database } from '../../platform/database/database.ts';
import { fleetTable, stackKey } from '../fleet-table.ts';
import { assigned, decideOnStacks } from './decision.ts';
import { matchStacks } from './matching.ts';
import { readTold, type Told } from './told.ts';

/** One look decides on at most this many stacks that the agent seems to have lost, 6 units each; the next look decides on the rest. */
const DECISIONS_MAX = 1_000;

export interface Look {
  /** The told items as they were before. */
  before: Map<string, Told>;
  /** The told items as they should be. */
  next: Map<string, Told>;
  /** True if another look at the same state would find nothing more. */
  complete: boolean;
  /** True if an agent has more stacks than are read. Then no stack is withdrawn. */
  truncated: boolean;
}

/**
 * Compares all stacks that the agent should run with its told items, and writes nothing. The told items are read first. A poll writes on
 * the condition that they have not changed, so it never replaces something newer.
 */
export async function lookAtAll(database: Database, agentId: string): Promise<Look> {
  const before = await readTold(database, agentId);
  const { heads, truncated } = await matchStacks(database, agentId);
  const next = new Map<string, Told>();
  for (const [stackId, head] of heads) {
    const told = assigned(before.get(stackId), head);
    if (told) next.set(stackId, told);
  }
  const missing = [...before].filter(([stackId]) => !heads.has(stackId));
  for (const [stackId, told] of missing) next.set(stackId, told);
  const doubtful = missing.filter(([, { state }]) => state === 'assigned');
  const some = truncated ? [] : doubtful.slice(0, DECISIONS_MAX);
  // A withdrawn stack may match again, and these reads may have missed it.
  const again = await livingAmong(database, withdrawnAmong(missing).slice(0, DECISIONS_MAX - some.length));
  for (const [stackId, told] of await decideOnStacks(database, agentId, new Map([...some, ...again]))) if (told) next.set(stackId, told);
  return { before, next, truncated, complete: truncated || some.length === doubtful.length };
}

type Entry = [string, Told];
const withdrawnAmong = (entries: readonly Entry[]) => entries.filter(([, { state }]) => state === 'withdrawn');

/** A removed stack never matches again, so it needs no decision. One unit for each stack. */
async function livingAmong(database: Database, entries: readonly Entry[]): Promise<Entry[]> {
  const items = await database.batchGet(
    fleetTable.name,
    entries.map(([stackId]) => stackKey(stackId)),
  );
  const living = new Set(items.map(({ sk }) => sk));
  return entries.filter(([stackId]) => living.has(stackId));
}
