import * as z from 'zod';
import { readNewestFirst, readOldestFirst, type TimeOrderBatch } from '../../platform/database/time-order.ts';
import { cursorParameter } from '../../platform/list-cursor.ts';
import { collectPage, type ListPage, LONGEST_PAGE, type PageRequest } from '../../platform/list-page.ts';
import type { FleetPorts } from '../fleet-ports.ts';
import type { WorkOrder } from '../protocol/work-order-protocol.ts';
import { findAgentSelectors } from '../targeting/selection.ts';
import { isFor } from './claim-work-order.ts';
import { StoredOrder, statusAt, toWire } from './work-order.ts';
import { findOrders, readYaml } from './work-order-repository.ts';
import { ADMIN_OWNER, type OrderTarget, orderPks, orderTargetPk, workOrdersTable } from './work-orders-table.ts';

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

/** Lists live orders, newest first, with the status that they have now. An order costs a read for its home and one for its YAML. */
export function listOrders(
  ports: FleetPorts,
  { status, work_type, generator_id, limit, cursor }: OrderSearch,
): Promise<ListPage<WorkOrder>> {
  const wanted = Object.entries({ work_type, generator_id }).filter(([, value]) => value !== undefined);
  const homes = readNewestFirst(ports.database, table, {
    pks: orderPks,
    between: EVERY_ID,
    behind: cursor,
    filter: { equals: Object.fromEntries(wanted) },
    firstPage: Math.min(100, Math.ceil((limit ?? LONGEST_PAGE) / 8) + 1),
  });
  return pageOf(ports, homes, { limit, cursor }, async ({ items }) =>
    items.map((item) => StoredOrder.parse(item)).filter((order) => status === undefined || statusAt(order, ports.clock.nowMs()) === status),
  );
}

/**
 * Lists the orders that an agent may claim now, oldest first. Each target of the agent (its id, its labels, its annotations, those for each
 * owner of orders) is one query; each order costs a read for its home and one for its YAML. Held orders are read and left out.
 */
export async function listPendingOrders(
  ports: FleetPorts,
  agentId: string,
  { work_type, limit, cursor }: PageRequest & { work_type?: string | undefined },
): Promise<ListPage<WorkOrder>> {
  const agent = await findAgentSelectors(ports.database, agentId);
  if (!agent) return { items: [] };
  const targets: OrderTarget[] = [{ agent_id: agentId }, ...agent.selectors];
  const edges = readOldestFirst(ports.database, table, {
    pks: [ADMIN_OWNER, ...agent.generators].flatMap((owner) => targets.map((target) => orderTargetPk(owner, target))),
    between: EVERY_ID,
    behind: cursor,
    firstPage: Math.min(100, limit ?? LONGEST_PAGE),
  });
  return pageOf(ports, edges, { limit, cursor }, async ({ items }) => {
    const ids = [...new Set(items.map(({ sk }) => sk))];
    const orders = new Map((await findOrders(ports.database, ids)).map((order) => [order.id, order]));
    const nowMs = ports.clock.nowMs();
    return ids
      .flatMap((id) => orders.get(id) ?? [])
      .filter((order) => statusAt(order, nowMs) === 'PENDING' && isFor(order, agentId, agent))
      .filter((order) => work_type === undefined || order.work_type === work_type);
  });
}

/** Collects a page of the orders that `ordersOf` finds in each batch. */
async function pageOf(
  { database, clock }: FleetPorts,
  batches: AsyncIterable<TimeOrderBatch>,
  { limit = LONGEST_PAGE, cursor }: PageRequest,
  ordersOf: (batch: TimeOrderBatch) => Promise<StoredOrder[]>,
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
        if (!page.add(toWire(order, text, clock.nowMs()))) return { items: page.items, ...(last !== undefined && { next: last }) };
        last = order.id;
      }
    }
    read += batch.read;
    if (batch.reached !== undefined && read >= ITEMS_READ) return { items: page.items, next: batch.reached };
  }
  return { items: page.items };
}
