import * as z from 'zod';
import type { Database } from '../../platform/database/database.ts';
import { followEdges, type Placed, readInKeyOrder } from '../../platform/database/key-order.ts';
import { type ListPage, type PageRequest, readPage, sortOldestFirst } from '../../platform/list-page.ts';
import { fleetTable, generatorPk, STACK_LIST_PK, stackKey, stackNameKey } from '../fleet-table.ts';
import { matchStacks } from '../targeting/matching.ts';
import { Stack } from './stack.ts';

const table = fleetTable.name;

/** Lists all stacks. A page holds the next stacks by id, and shows them oldest first. */
export async function listStacks(database: Database, page: PageRequest): Promise<ListPage<Stack>> {
  const stacks = readInKeyOrder(database, table, { pks: [STACK_LIST_PK], after: page.cursor, fields: Object.keys(Stack.shape) });
  return sortOldestFirst(await readPage(stacks, page, (item) => Stack.parse(item)));
}

/** Lists a generator's stacks. A page holds the next stacks by name, and shows them oldest first. It costs one unit for each stack. */
export async function listStacksOfGenerator(database: Database, generatorId: string, page: PageRequest): Promise<ListPage<Stack>> {
  const names = readInKeyOrder(database, table, { pks: [generatorPk(generatorId)], prefix: stackNameKey('', '').sk, after: page.cursor });
  const stacks = followEdges(database, table, names, (edge) => stackKey(z.uuid().parse(edge.id)));
  return sortOldestFirst(await readPage(stacks, page, (item) => Stack.parse(item)));
}

/** Lists the stacks that an agent runs, in the order of their ids. Each page reads all edges, but only its own stacks. */
export async function listStacksOfAgent(database: Database, agentId: string, page: PageRequest): Promise<ListPage<Stack>> {
  const { heads } = await matchStacks(database, agentId);
  const { cursor = '' } = page;
  const ids = [...heads.keys()].filter((id) => id > cursor).sort();
  return readPage(stacksById(database, ids), page, (item) => Stack.parse(item));
}

async function* stacksById(database: Database, ids: readonly string[]): AsyncGenerator<Placed[]> {
  for (let from = 0; from < ids.length; from += 100) {
    const items = await database.batchGet(table, ids.slice(from, from + 100).map(stackKey));
    yield items.map((item) => ({ place: item.sk, item })).sort((a, b) => (a.place < b.place ? -1 : 1));
  }
}
