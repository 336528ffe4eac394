import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Database, Item } from '../../../platform/database/database.ts';
import { ACTIVE } from '../../agents/agent-rules.ts';
import { agentKey, agentMatchPk, fleetTable } from '../../fleet-table.ts';
import { type StoredOrder, selectorsOf } from '../work-order.ts';

const table = fleetTable.name;
/** An order is offered to this many agents. */
const OFFERS = 3;
/** The agents are chosen among this many, so that an order for 100,000 agents costs no more than one for twenty. */
const CANDIDATES = 16;
/** An agent that was seen within this time is preferred. */
const SEEN_LATELY_MS = 300_000;

const AgentState = z.object({ sk: z.string(), status: z.string(), last_heartbeat: z.string().nullish() });

/**
 * Chooses the agents that an order is offered to, the best first: ACTIVE ones, those that were seen lately before the others. Among equals the
 * order's own hash decides (rendezvous hashing), so that orders are spread evenly and a repeated choice is the same. Costs a query for
 * each of the first labels and annotations, and at most 16 reads.
 */
export async function chooseAgents(database: Database, order: StoredOrder, systemGeneratorId: string, nowMs: number): Promise<string[]> {
  const candidates = await candidatesFor(database, order, order.generator_id ?? systemGeneratorId);
  const agents = (await database.batchGet(table, candidates.map(agentKey))).map((item) => AgentState.parse(item));
  const seenLately = ({ last_heartbeat }: z.infer<typeof AgentState>) =>
    last_heartbeat != null && Date.parse(last_heartbeat) > nowMs - SEEN_LATELY_MS;
  return agents
    .filter(({ status }) => status === ACTIVE)
    .map((agent) => ({ id: agent.sk, rank: (seenLately(agent) ? '0' : '1') + weight(order.id, agent.sk) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .slice(0, OFFERS)
    .map(({ id }) => id);
}

const weight = (orderId: string, agentId: string): string =>
  createHash('sha256').update(`${orderId} ${agentId}`).digest('hex').slice(0, 16);

async function candidatesFor(database: Database, { id, targeting }: StoredOrder, generatorId: string): Promise<string[]> {
  const named = targeting.agent_ids.toSorted((a, b) => (weight(id, a) < weight(id, b) ? -1 : 1));
  const found = new Set(named.slice(0, CANDIDATES));
  for (const selector of selectorsOf(targeting)) {
    if (found.size >= CANDIDATES) break;
    for (const agentId of await someAgentsWith(database, agentMatchPk(generatorId, selector), id)) found.add(agentId);
  }
  return [...found].slice(0, CANDIDATES);
}

/** Reads the agents that follow a place which depends on the order, and goes on at the beginning of the partition if these are few. */
async function someAgentsWith(database: Database, pk: string, orderId: string): Promise<string[]> {
  const place = createHash('sha256').update(orderId).digest('hex').slice(0, 8);
  const query = (more: { after?: string }) => database.query(table, { pk, limit: CANDIDATES, fields: [], ...more });
  const { items } = await query({ after: place });
  const before: Item[] = items.length < CANDIDATES ? (await query({})).items : [];
  return [...items, ...before].map(({ sk }) => sk);
}
