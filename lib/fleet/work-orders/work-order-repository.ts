import * as z from 'zod';
import type { Database, Item, Key, Write } from '../../platform/database/database.ts';
import { textChunks, textOfChunks } from '../stored-text.ts';
import { StoredOrder, targetsOf } from './work-order.ts';
import { ADMIN_OWNER, offerKey, orderBodyKey, orderKey, orderOwnerKey, orderTargetKey, workOrdersTable } from './work-orders-table.ts';

const table = workOrdersTable.name;

/** With its home, its log entry and the audit entry, the edges of an order fit into one transaction. */
export const TARGET_LIMIT = 80;

export const ownerOf = ({ generator_id }: Pick<StoredOrder, 'generator_id'>): string => generator_id ?? ADMIN_OWNER;

/** The edges by which agents find the order. An order for all agents has none: agents find its children. */
const edgeKeys = (order: StoredOrder) =>
  order.fan_out === 'all' ? [] : targetsOf(order.targeting).map((target) => orderTargetKey(ownerOf(order), target, order.id));

/** The edge by which a generator's list finds the order. An admin's orders need none. */
const ownerKeys = ({ generator_id, id }: StoredOrder) => (generator_id === null ? [] : [orderOwnerKey(generator_id, id)]);

/** Writes a new order with its edges and its YAML. A child has no YAML of its own: its parent's is not stored again. */
export function orderNewWrites(order: StoredOrder, yaml?: string): Write[] {
  const chunks = yaml === undefined ? [] : textChunks(yaml);
  const stored: StoredOrder = yaml === undefined ? order : { ...order, body_chunks: chunks.length };
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

/** What says where the YAML of an order lies. */
type BodyPlace = Pick<StoredOrder, 'id' | 'body_chunks' | 'parent_id'>;
const bodyKeys = ({ id, body_chunks, parent_id = id }: BodyPlace): Key[] =>
  Array.from({ length: body_chunks }, (_, n) => orderBodyKey(parent_id, n));
/** The YAML of a child stays: it is its parent's. */
const ownBodyKeys = (order: BodyPlace): Key[] => (order.parent_id === undefined ? bodyKeys(order) : []);
export const orderBodyRemoveWrites = (order: BodyPlace): Write[] => ownBodyKeys(order).map((key): Write => ({ table, delete: key }));
export const orderBodyExpireWrites = (order: BodyPlace, expires_at: number): Write[] =>
  ownBodyKeys(order).map((key): Write => ({ table, update: key, set: { expires_at } }));

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
export async function readYaml(database: Database, orders: readonly BodyPlace[]): Promise<ReadonlyMap<string, string>> {
  // Children of one parent share its YAML, and a key may be asked for only once.
  const keys = new Map(orders.flatMap(bodyKeys).map((key) => [textOf(key), key]));
  const chunks = new Map((await database.batchGet(table, [...keys.values()])).map((item) => [textOf(item), z.unknown().parse(item.body)]));
  return new Map(
    orders.flatMap((order): [string, string][] => {
      const found = bodyKeys(order).flatMap((key) => chunks.get(textOf(key)) ?? []);
      return found.length === 0 ? [] : [[order.id, textOfChunks(found, order.body_chunks, `work order ${order.id}`)]];
    }),
  );
}

const textOf = ({ pk, sk }: Key): string => `${pk} ${sk}`;
