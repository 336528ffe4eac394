import type { Database } from '../../platform/database/database.ts';
import { followEdges, type Placed, readInKeyOrder } from '../../platform/database/key-order.ts';
import { type ListPage, type PageRequest, readPage, sortOldestFirst } from '../../platform/list-page.ts';
import { agentKey, agentListPks, fleetTable } from '../fleet-table.ts';
import { Agent } from '../protocol/agent-protocol.ts';
import { registrationEdges } from '../targeting/registration-lists.ts';

const table = fleetTable.name;

/** Lists all agents. A page holds the next agents by id, and shows them oldest first. */
export const listAgents = (database: Database, page: PageRequest): Promise<ListPage<Agent>> =>
  agentsIn(readInKeyOrder(database, table, { pks: agentListPks, after: page.cursor, fields: Object.keys(Agent.shape) }), page);

/** Lists a generator's registered agents. A page holds the next agents by id, and shows them oldest first. It costs one unit for each. */
export function listAgentsOfGenerator(database: Database, generatorId: string, page: PageRequest): Promise<ListPage<Agent>> {
  const edges = registrationEdges(database, generatorId, page.cursor);
  // The edge's place is the agent's id.
  return agentsIn(
    followEdges(database, table, edges, (edge) => agentKey(String(edge.agent_id))),
    page,
  );
}

const agentsIn = async (batches: AsyncIterable<Placed[]>, page: PageRequest) =>
  sortOldestFirst(await readPage(batches, page, (item) => Agent.parse(item)));
