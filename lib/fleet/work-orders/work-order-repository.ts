import * as z from 'zod';
import type { Database, Item, Write } from '../../platform/database/database.ts';
import { textChunks, textOfChunks } from '../stored-text.ts';
import { StoredOrder, targetsOf } from './work-order.ts';
import { ADMIN_OWNER, offerKey, orderBodyKey, orderKey, orderOwnerKey, orderTargetKey, workOrdersTable } from './work-orders-table.ts';

const table = workOrdersTable.name;

/** With its home, its log entry and the audit entry, the edges of an order fit into one transaction. */
export const TARGET_LIMIT = 80;

export const ownerOf = ({ generator_id }: Pick<StoredOrder, 'generator_id'>): string => generator_id ?? ADMIN_OWNER;

const edgeKeys = (order: StoredOrder) => targetsOf(order.targeting).map((target) => orderTargetKey(ownerOf(order), target, order.id));

/** The edge by which a generator's list finds the order. An admin's orders need none. */
const ownerKeys = ({ generator_id, id }: StoredOrder) => (generator_id === null ? [] : [orderOwnerKey(generator_id, id)]);

/** Writes a new order with its edges and its YAML. */
export function orderNewWrites(order: Omit<StoredOrder, 'body_chunks'>, yaml: string): Write[] {
  const chunks = textChunks(yaml);
  const stored: StoredOrder = { ...order, body_chunks: chunks.length };
  return [
    { table, put: { ...orderKey(order.id), type: 'order', ...stored } as Item, if: { exists: false } },
    ...edgeKeys(stored).map((key): Write => ({ table, put: { ...key, type: 'order-target' } })),
    ...ownerKeys(stored).map((key): Write => ({ table, put: { ...key, type: 'order-owner', work_type: order.work_type } })),
    ...chunks.map((body, n): Write => ({ table, put: { ...orderBodyKey(order.id, n), type: 'order-body', body } as Item })),
  ];
}

/** Removes an order's home, edges and offers. Fails if the order was claimed, offered or ended since it was read. */
export const orderRemoveWrites = (order: StoredOrder): Write[] => [
  { table, delete: orderKey(order.id), if: { equals: { attempt: order.attempt, status: order.status, offered_to: order.offered_to } } },
  ...[...edgeKeys(order), ...ownerKeys(order)].map((key): Write => ({ table, delete: key })),
  ...order.offered_to.map((agentId): Write => ({ table, delete: offerKey(agentId, order.id) })),
];
export const orderBodyRemoveWrites = ({ id, body_chunks }: StoredOrder): Write[] =>
  Array.from({ length: body_chunks }, (_, n): Write => ({ table, delete: orderBodyKey(id, n) }));
export const orderBodyExpireWrites = ({ id, body_chunks }: StoredOrder, expires_at: number): Write[] =>
  Array.from({ length: body_chunks }, (_, n): Write => ({ table, update: orderBodyKey(id, n), set: { expires_at } }));

type OrderState = Partial<Omit<StoredOrder, 'id' | 'targeting' | 'body_chunks'>>;

/** Claims an order, if it may be claimed at this time. One of several agents that try at once succeeds. */
export const orderClaimWrite = (order: StoredOrder, state: OrderState, nowMs: number): Write => ({
  table,
  update: orderKey(order.id),
  set: { ...state },
  if: { exists: true, below: { claimable_at: Math.floor(nowMs) + 1 }, equals: { attempt: order.attempt } },
});

/** Changes an order that is still held by the claim with this token. */
export const orderHeldWrite = (order: StoredOrder, state: OrderState): Write => ({
  table,
  update: orderKey(order.id),
  set: { ...state },
  if: { equals: { token: order.token, attempt: order.attempt, status: order.status } },
});

export async function findOrder(database: Database, id: string): Promise<StoredOrder | undefined> {
  const item = await database.get(table, orderKey(id));
  return item && StoredOrder.parse(item);
}

/** Returns the given orders that are still live, in no order. */
export async function findOrders(database: Database, ids: readonly string[]): Promise<StoredOrder[]> {
  const items = await database.batchGet(table, ids.map(orderKey));
  return items.map((item) => StoredOrder.parse(item));
}

/** Reads the YAML of these orders, by their ids. One that has just been cancelled is left out. */
export async function readYaml(
  database: Database,
  orders: readonly { id: string; body_chunks: number }[],
): Promise<ReadonlyMap<string, string>> {
  const keys = orders.flatMap(({ id, body_chunks }) => Array.from({ length: body_chunks }, (_, n) => orderBodyKey(id, n)));
  const chunks = new Map((await database.batchGet(table, keys)).map(({ pk, sk, body }) => [`${pk} ${sk}`, z.unknown().parse(body)]));
  return new Map(
    orders.flatMap(({ id, body_chunks }): [string, string][] => {
      const found = Array.from({ length: body_chunks }, (_, n) => orderBodyKey(id, n)).flatMap(
        ({ pk, sk }) => chunks.get(`${pk} ${sk}`) ?? [],
      );
      return found.length === 0 ? [] : [[id, textOfChunks(found, body_chunks, `work order ${id}`)]];
    }),
  );
}
