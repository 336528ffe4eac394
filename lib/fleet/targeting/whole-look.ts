import type { Database } from '../../platform/database/database.ts';
import { assigned, decide } from './decision.ts';
import { matchStacks } from './matching.ts';
import { readTold, type Told } from './told.ts';

/** So many stacks that an agent seems to have lost are decided on in one look, 6 units each; the next look goes on. */
const DECISIONS_MAX = 1_000;

export interface Look {
  /** What the agent was told before. */
  before: Map<string, Told>;
  /** What it should be told. */
  next: Map<string, Told>;
  /** Whether another look at the same state would find nothing more. */
  complete: boolean;
  /** An agent has more stacks than are read: no stack is withdrawn then. */
  truncated: boolean;
}

/**
 * Compares all stacks that the agent should run with what it was told, and writes nothing. What was told is read first: a poll that
 * writes on the condition that this has not changed then never replaces something newer.
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
  for (const [stackId, told] of await decide(database, agentId, new Map(some))) if (told) next.set(stackId, told);
  return { before, next, truncated, complete: truncated || some.length === doubtful.length };
}
