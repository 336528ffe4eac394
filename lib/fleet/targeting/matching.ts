import * as z from 'zod';
import { type Database, queryAll } from '../../platform/database/database.ts';
import { agentPk, agentSelectorsKey, agentTargetKey, fleetTable, matchPk, stackSelectorsKey } from '../fleet-table.ts';
import type { StackHead } from '../stacks/stack.ts';
import { findStacks } from '../stacks/stack-repository.ts';
import { readStoredHead } from '../stacks/stored-head.ts';
import { isSelected, readAgentSelectors } from './selection.ts';

/**
 * The stacks that an agent runs: those that it has a target for, and those that share a label or an annotation with it and belong to a
 * generator that it is registered with. Computed afresh from base-table reads each time.
 */
const table = fleetTable.name;
/** Of one label or annotation with one generator; beyond this a look is incomplete. */
const EDGE_LIMIT = 50_000;

export interface MatchedStacks {
  /** By stack; undefined if the stack has no deployment object. */
  heads: Map<string, StackHead | undefined>;
  /** Nothing may follow from a stack's absence: not everything was read. */
  truncated: boolean;
}

/**
 * Many reads, which are not one moment: a stack may be missing that matched all the time. One query for each pair of a selector and a
 * registration, about 50 units for 1,000 matched stacks, and one unit for each explicit target.
 */
export async function matchStacks(database: Database, agentId: string): Promise<MatchedStacks> {
  const [item, targets] = await Promise.all([
    database.get(table, agentSelectorsKey(agentId)),
    queryAll(database, table, { pk: agentPk(agentId), prefix: agentTargetKey('', '').sk, limit: EDGE_LIMIT }),
  ]);
  const { selectors, generators } = readAgentSelectors(item);
  const partitions = selectors.flatMap((selector) => generators.map((generator) => matchPk(generator, selector)));
  const heads: MatchedStacks['heads'] = new Map();
  let truncated = targets.length >= EDGE_LIMIT;
  await Promise.all(
    partitions.map(async (pk) => {
      const edges = await queryAll(database, table, { pk, limit: EDGE_LIMIT });
      truncated ||= edges.length >= EDGE_LIMIT;
      for (const edge of edges) noteNewest(heads, edge.sk, edge.sequence === undefined ? undefined : readStoredHead(edge));
    }),
  );
  const unread = targets.map((target) => z.uuid().parse(target.stack_id)).filter((id) => !heads.has(id));
  for (const stack of await findStacks(database, unread)) heads.set(stack.id, stack.latest_object);
  return { heads, truncated };
}

/** The edges of one stack move one after the other. */
function noteNewest(heads: MatchedStacks['heads'], stackId: string, head: StackHead | undefined): void {
  if (!heads.has(stackId) || (heads.get(stackId)?.sequence ?? 0) < (head?.sequence ?? 0)) heads.set(stackId, head);
}

/** Whether this agent runs this stack: three units, however many it runs. */
export async function runsStack(database: Database, agentId: string, stack: { id: string }): Promise<boolean> {
  const [own, agentOwn, target] = await Promise.all(
    [stackSelectorsKey(stack.id), agentSelectorsKey(agentId), agentTargetKey(agentId, stack.id)].map((key) => database.get(table, key)),
  );
  return isSelected({ stack: own, agent: agentOwn, target });
}
