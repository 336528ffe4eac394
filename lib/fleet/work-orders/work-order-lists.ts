import * as z from 'zod';
import type { Item } from '../../platform/database/database.ts';
import { readNewestFirst, readOldestFirst, type TimeOrderBatch } from '../../platform/database/time-order.ts';
import { cursorParameter } from '../../platform/list-cursor.ts';
import { collectPage, type ListPage, LONGEST_PAGE, type PageRequest } from '../../platform/list-page.ts';
import type { FleetPorts } from '../fleet-ports.ts';
import type { WorkOrder } from '../protocol/work-order-protocol.ts';
import { type AgentSelectors, findAgentSelectors } from '../targeting/selection.ts';
import { isFor } from './claim-work-order.ts';
import { StoredOrder, statusAt, toWire } from './work-order.ts';
import { findOrders, readYaml } from './work-order-repository.ts';
import { ADMIN_OWNER, type OrderTarget, offersPk, orderOwnerPk, orderPks, orderTargetPk, workOrdersTable } from './work-orders-table.ts';

const table = workOrdersTable.name;
export const OrderCursor = cursorParameter((place) => z.guid().safeParse(place).success);

/** One answer reads at most this many items, however few of them are wanted. */
const ITEMS_READ = 10_000;
const READ_AT_ONCE = 25;
/** Ids begin with a hexadecimal digit. */
const EVERY_ID = { from: '0', to: 'g' };

export interface OrderSearch extends PageRequest {
  status?: string | undefined;
  work_type?: string | undefined;
  generator_id?: string | undefined;
}

/**
 * Lists live orders, newest first, with the status that they have now: all of them, or those of one generator, which has a list of its
 * own. An order costs a read for its home and one for its YAML.
 */
export function listOrders(
  ports: FleetPorts,
  { status, work_type, generator_id, limit, cursor }: OrderSearch,
): Promise<ListPage<WorkOrder>> {
  const found = readNewestFirst(ports.database, table, {
    pks: generator_id === undefined ? orderPks : [orderOwnerPk(generator_id)],
    between: EVERY_ID,
    behind: cursor,
    ...(work_type !== undefined && { filter: { equals: { work_type } } }),
    firstPage: Math.min(100, Math.ceil((limit ?? LONGEST_PAGE) / 8) + 1),
  });
  const homesOf = (items: readonly Item[]) =>
    generator_id === undefined
      ? items.map((item) => StoredOrder.parse(item))
      : ordersInOrder(
          ports,
          items.map(({ sk }) => sk),
        );
  return pageOf(ports, found, { limit, cursor }, async ({ items }) =>
    (await homesOf(items)).filter((order) => status === undefined || statusAt(order, ports.clock.nowMs()) === status),
  );
}

/** Those of these orders that are still live, in the given order. */
async function ordersInOrder({ database }: FleetPorts, ids: readonly string[]): Promise<StoredOrder[]> {
  const orders = new Map((await findOrders(database, ids)).map((order) => [order.id, order]));
  return ids.flatMap((id) => orders.get(id) ?? []);
}

/**
 * Lists the orders that an agent may claim now: first those that are offered to it, then all others, oldest first. Each target of the agent
 * (its id, its labels, its annotations, those for each owner of orders) is one query; each order costs a read for its home and one for
 * its YAML. Held orders are read and left out. A later page may repeat an offered order at its own place.
 */
export async function listPendingOrders(
  ports: FleetPorts,
  agentId: string,
  { work_type, limit, cursor }: PageRequest & { work_type?: string | undefined },
): Promise<ListPage<WorkOrder>> {
  const { database, clock } = ports;
  const agent = await findAgentSelectors(database, agentId);
  if (!agent) return { items: [] };
  /** Those of these orders that the agent may claim, in the given order. */
  async function claimable(ids: readonly string[]): Promise<StoredOrder[]> {
    const orders = await ordersInOrder(ports, ids);
    const nowMs = clock.nowMs();
    return orders
      .filter((order) => statusAt(order, nowMs) === 'PENDING' && agent !== undefined && isFor(order, agentId, agent))
      .filter((order) => work_type === undefined || order.work_type === work_type);
  }
  const offered = cursor === undefined ? await offeredTo(ports, agentId) : [];
  const edges = readOldestFirst(database, table, {
    pks: targetPks(agentId, agent),
    between: EVERY_ID,
    behind: cursor,
    firstPage: Math.min(100, limit ?? LONGEST_PAGE),
  });
  const offersAtOnce = Math.min(READ_AT_ONCE, (limit ?? LONGEST_PAGE) + 3);
  return pageOf(ports, chained(offered, offersAtOnce, edges), { limit, cursor }, async (batch) => {
    const ids = new Set(batch.items.map(({ sk }) => sk));
    if (!batch.outOfOrder) for (const { sk } of offered) ids.delete(sk);
    return claimable([...ids]);
  });
}

const targetPks = (agentId: string, { selectors, generators }: AgentSelectors): string[] => {
  const targets: OrderTarget[] = [{ agent_id: agentId }, ...selectors];
  return [ADMIN_OWNER, ...generators].flatMap((owner) => targets.map((target) => orderTargetPk(owner, target)));
};

/** The most offers that are read. More are at their own places in the list. */
const OFFERS_READ = 300;

/** The offers to an agent: those for which it is the best agent come first, then the oldest. */
async function offeredTo({ database }: FleetPorts, agentId: string): Promise<Item[]> {
  const { items } = await database.query(table, { pk: offersPk(agentId), limit: OFFERS_READ });
  return items.toSorted((a, b) => Number(a.rank) - Number(b.rank) || (a.sk < b.sk ? -1 : 1));
}

/** A batch of items that are not at their places in the list, so that no page continues behind them. */
type Batch = TimeOrderBatch & { outOfOrder?: boolean };
/** Before every order. */
const BEGINNING = '00000000-0000-0000-0000-000000000000';

/** The offers first, a few at a time, so that a short page reads few homes. */
async function* chained(offered: Item[], atOnce: number, rest: AsyncIterable<TimeOrderBatch>): AsyncGenerator<Batch> {
  for (let from = 0; from < offered.length; from += atOnce) {
    const items = offered.slice(from, from + atOnce);
    yield { items, read: items.length, outOfOrder: true };
  }
  yield* rest;
}

/** Collects a page of the orders that `ordersOf` finds in each batch. */
async function pageOf(
  { database, clock }: FleetPorts,
  batches: AsyncIterable<Batch>,
  { limit = LONGEST_PAGE, cursor = BEGINNING }: PageRequest,
  ordersOf: (batch: Batch) => Promise<StoredOrder[]>,
): Promise<ListPage<WorkOrder>> {
  const page = collectPage<WorkOrder>(limit);
  let read = 0;
  let last = cursor;
  for await (const batch of batches) {
    const orders = await ordersOf(batch);
    for (let from = 0; from < orders.length; from += READ_AT_ONCE) {
      const some = orders.slice(from, from + READ_AT_ONCE);
      const yaml = await readYaml(database, some);
      for (const order of some) {
        const text = yaml.get(order.id);
        if (text === undefined) continue;
        if (!page.add(toWire(order, text, clock.nowMs()))) return { items: page.items, next: last };
        if (!batch.outOfOrder) last = order.id;
      }
    }
    read += batch.read;
    if (batch.reached !== undefined && read >= ITEMS_READ) return { items: page.items, next: batch.reached };
  }
  return { items: page.items };
}
