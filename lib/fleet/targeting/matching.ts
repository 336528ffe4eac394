import * as z from 'zod';
import { type Database, type Item, queryAll } from '../../platform/database/database.ts';
import {
  agentMatchPk,
  agentPk,
  fleetTable,
  matchPk,
  SELECT_PREFIX,
  type Selector,
  stackAnnotationKey,
  stackLabelKey,
  stackPk,
  stackTargetKey,
} from '../fleet-table.ts';
import { findStacks, type StackRecord } from '../stacks/stack-repository.ts';

/**
 * Which stacks an agent runs: those it has a target for, and those which share a label or an annotation with it and belong to a
 * generator it is registered with. Computed afresh from base-table reads each time: nothing here is maintained by hand.
 *
 * Cost: one query for the agent's own selectors, one for each pair of a selector and a registration, and one unit for each stack.
 */
const table = fleetTable.name;
const EDGE_LIMIT = 10_000;

interface AgentSelectors {
  selectors: Selector[];
  targets: string[];
  generators: string[];
}

const Label = z.object({ label: z.string() });
const Annotation = z.object({ key: z.string(), value: z.string() });

async function selectorsOfAgent(database: Database, agentId: string): Promise<AgentSelectors> {
  const items = await queryAll(database, table, { pk: agentPk(agentId), prefix: SELECT_PREFIX, limit: EDGE_LIMIT });
  const of = (type: string) => items.filter((item) => item.type === type);
  return {
    selectors: selectorsIn(items, 'agent'),
    targets: of('target').map((item) => z.uuid().parse(item.stack_id)),
    generators: of('registration').map((item) => z.uuid().parse(item.generator_id)),
  };
}

const selectorsIn = (items: readonly Item[], owner: 'agent' | 'stack'): Selector[] => [
  ...items.filter((item) => item.type === `${owner}-label`).map((item) => Label.parse(item)),
  ...items.filter((item) => item.type === `${owner}-annotation`).map((item) => Annotation.parse(item)),
];

/** Live stacks only, by id. */
export async function stacksOfAgent(database: Database, agentId: string): Promise<StackRecord[]> {
  const { selectors, targets, generators } = await selectorsOfAgent(database, agentId);
  const partitions = selectors.flatMap((selector) => generators.map((generator) => matchPk(generator, selector)));
  const matched = await Promise.all(partitions.map((pk) => queryAll(database, table, { pk, limit: EDGE_LIMIT, fields: [] })));
  const ids = new Set([...targets, ...matched.flat().map((edge) => edge.sk)]);
  return (await findStacks(database, [...ids])).sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Whether this agent runs this stack: at most four reads, however many it runs. */
export async function runsStack(database: Database, agentId: string, stack: { id: string; generator_id: string }): Promise<boolean> {
  if (await database.get(table, stackTargetKey(stack.id, agentId))) return true;
  const [agent, selectors] = await Promise.all([selectorsOfAgent(database, agentId), selectorsOfStack(database, stack.id)]);
  if (!agent.generators.includes(stack.generator_id)) return false;
  const own = new Set(agent.selectors.map((selector) => matchPk('', selector)));
  return selectors.some((selector) => own.has(matchPk('', selector)));
}

/** A stack's labels and annotations. */
export async function selectorsOfStack(database: Database, stackId: string): Promise<Selector[]> {
  const [labels, annotations] = await Promise.all(
    [stackLabelKey('', '').sk, stackAnnotationKey('', '').sk].map((prefix) =>
      queryAll(database, table, { pk: stackPk(stackId), prefix, limit: EDGE_LIMIT }),
    ),
  );
  return selectorsIn([...(labels ?? []), ...(annotations ?? [])], 'stack');
}

export interface EdgePage {
  ids: string[];
  next?: string;
}

/** Agents with an explicit target to this stack, a page at a time. */
export const agentsTargeting = (database: Database, stackId: string, limit: number, after?: string): Promise<EdgePage> =>
  edges(database, stackPk(stackId), stackTargetKey('', '').sk, limit, after);

/** Agents with this label or annotation, registered or not: a superset of those concerned is fine, they look for themselves. */
export const agentsSelectedBy = (database: Database, selector: Selector, limit: number, after?: string): Promise<EdgePage> =>
  edges(database, agentMatchPk(selector), '', limit, after);

async function edges(database: Database, pk: string, prefix: string, limit: number, after?: string): Promise<EdgePage> {
  const page = await database.query(table, { pk, limit, fields: [], ...(prefix && { prefix }), ...(after !== undefined && { after }) });
  return { ids: page.items.map((item) => item.sk.slice(prefix.length)), ...(page.next !== undefined && { next: page.next }) };
}
