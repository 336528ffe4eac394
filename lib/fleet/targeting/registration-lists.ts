import type { Database } from '../../platform/database/database.ts';
import { type Placed, readInKeyOrder } from '../../platform/database/key-order.ts';
import { type ListPage, type PageRequest, readPage } from '../../platform/list-page.ts';
import { liveAgentsAmong } from '../agents/agent-repository.ts';
import { fleetTable, generatorAgentKey, generatorPk } from '../fleet-table.ts';
import { Registration } from './registration-repository.ts';

/** Reads a generator's registrations in the order of its agents' ids. */
export const registrationEdges = (database: Database, generatorId: string, after?: string) =>
  readInKeyOrder(database, fleetTable.name, { pks: [generatorPk(generatorId)], prefix: generatorAgentKey('', '').sk, after });

/** Lists a generator's registrations with existing agents; others are cleared away later. It costs one unit for each agent. */
export const listRegistrationsOfGenerator = (database: Database, generatorId: string, page: PageRequest): Promise<ListPage<Registration>> =>
  readPage(liveEdges(database, registrationEdges(database, generatorId, page.cursor)), page, (item) => Registration.parse(item));

async function* liveEdges(database: Database, edges: AsyncIterable<Placed[]>): AsyncGenerator<Placed[]> {
  for await (const batch of edges) {
    // The edge's place is the agent's id.
    const live = await liveAgentsAmong(
      database,
      batch.map(({ place }) => place),
    );
    yield batch.filter(({ place }) => live.has(place));
  }
}
