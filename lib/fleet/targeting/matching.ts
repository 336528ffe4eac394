import * as z from 'zod';
import { type Database, queryAll, queryPages } from '../../platform/database/database.ts';
import { agentPk, agentSelectorsKey, agentTargetKey, fleetTable, matchPk, stackSelectorsKey } from '../fleet-table.ts';
import type { StackHead } from '../stacks/stack.ts';
import { findStacks } from '../stacks/stack-repository.ts';
import { readStoredHead } from '../stacks/stored-head.ts';
import { isSelected, readAgentSelectors } from './selection.ts';

/**
 * An agent runs the stacks that it has a target for, and the stacks that share a label or an annotation with it and belong to a generator
 * that it is registered with. They are computed afresh from consistent reads each time.
 */
const table = fleetTable.name;
/** A partition of edges may have more than this; then the stacks are known in part only. */
const EDGE_LIMIT = 50_000;

export interface MatchedStacks {
  /** The heads by stack id; undefined if the stack has no deployment object. */
  heads: Map<string, StackHead | undefined>;
  /** True if not everything was read: then nothing may follow from a stack's absence. */
  truncated: boolean;
}

/**
 * Finds the stacks by many reads, which are not of one moment: a stack that matched all the time may be missing. It takes one query for
 * each pair of a selector and a registration, about 50 units for 1,000 matched stacks, and one unit for each explicit target.
 */
export async function matchStacks(database: Database, agentId: string): Promise<MatchedStacks> {
  const [item, targets] = await Promise.all([
    database.get(table, agentSelectorsKey(agentId)),
    queryAll(database, table, { pk: agentPk(agentId), prefix: agentTargetKey('', '').sk, limit: EDGE_LIMIT }),
  ]);
  const { selectors, generators, registrationIds } = readAgentSelectors(item);
  const partitions = selectors.flatMap((selector) => generators.map((generator) => matchPk(generator, selector)));
  const heads: MatchedStacks['heads'] = new Map();
  let truncated = targets.length >= EDGE_LIMIT;
  await Promise.all(
    partitions.map(async (pk) => {
      let count = 0;
      for await (const edges of queryPages(database, table, { pk, limit: EDGE_LIMIT })) {
        count += edges.length;
        for (const edge of edges) noteNewest(heads, edge.sk, edge.sequence === undefined ? undefined : readStoredHead(edge));
      }
      truncated ||= count >= EDGE_LIMIT;
    }),
  );
  // The targets of an ended registration may not be cleared away yet.
  const valid = targets.filter((target) => registrationIds.has(target.registration_id));
  const unread = valid.map((target) => z.uuid().parse(target.stack_id)).filter((id) => !heads.has(id));
  for (const stack of await findStacks(database, unread)) heads.set(stack.id, stack.latest_object);
  return { heads, truncated };
}

/** A stack's edges get a new head one after the other, so the newest head among them counts. */
function noteNewest(heads: MatchedStacks['heads'], stackId: string, head: StackHead | undefined): void {
  if (!heads.has(stackId) || (heads.get(stackId)?.sequence ?? 0) < (head?.sequence ?? 0)) heads.set(stackId, head);
}

/** Tells whether an agent runs a stack. It costs three units, however many stacks the agent runs. */
export async function runsStack(database: Database, agentId: string, stack: { id: string }): Promise<boolean> {
  const [own, agentOwn, target] = await Promise.all(
    [stackSelectorsKey(stack.id), agentSelectorsKey(agentId), agentTargetKey(agentId, stack.id)].map((key) => database.get(table, key)),
  );
  return isSelected({ stack: own, agent: agentOwn, target });
}
