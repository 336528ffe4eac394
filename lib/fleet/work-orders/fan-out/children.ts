import * as z from 'zod';
import type { Database, Item, Write } from '../../../platform/database/database.ts';
import { type Occurrence, occurrence } from '../../../platform/events/domain-event.ts';
import type { ChildrenSum } from '../../protocol/work-order-protocol.ts';
import type { StoredOrder } from '../work-order.ts';
import { orderChildKey, orderSumKey, orderSumPk, orderSumShards, orderSumTotalKey, workOrdersTable } from '../work-orders-table.ts';
import { childEnded } from './fan-out-events.ts';

/**
 * What an order for all agents (the parent) has beside its home: an item for each child, so that an agent never gets two, and counters. The
 * counters of ended children are spread over sixteen items, since many children may end at once; `total` counts the children that were made.
 */
const table = workOrdersTable.name;

export type ChildOutcome = 'COMPLETED' | 'FAILED' | 'CANCELLED';

/** The agent that a child order is for. */
const agentOf = ({ id, targeting }: StoredOrder): string => {
  const [agentId] = targeting.agent_ids;
  if (agentId === undefined) throw new Error(`the child order ${id} names no agent`);
  return agentId;
};

export const sumNewWrite = (parentId: string): Write => ({
  table,
  put: { ...orderSumTotalKey(parentId), type: 'order-sum', total: 0, all_made: false },
});
export const sumRemoveWrites = (parentId: string): Write[] =>
  [orderSumTotalKey(parentId), ...orderSumShards.map((shard) => orderSumKey(parentId, shard))].map(
    (key): Write => ({ table, delete: key }),
  );
/** Counts new children. Fails if the parent is gone. */
export const childrenMadeWrite = (parentId: string, count: number): Write => ({
  table,
  update: orderSumTotalKey(parentId),
  add: { total: count },
  if: { exists: true },
});
/** No more children follow. Fails if the parent is gone. */
export const allMadeWrite = (parentId: string): Write => ({
  table,
  update: orderSumTotalKey(parentId),
  set: { all_made: true },
  if: { exists: true },
});

/** Fails if the agent has a child of this parent. */
export const childNewWrite = (parentId: string, child: StoredOrder): Write => ({
  table,
  put: { ...orderChildKey(parentId, agentOf(child)), type: 'order-child', id: child.id },
  if: { exists: false },
});
/** Notes how an order ended with its parent, if it has one. */
export const childEndWrites = (order: StoredOrder, outcome: ChildOutcome, expires_at: number): Write[] =>
  order.parent_id === undefined
    ? []
    : [
        { table, update: orderChildKey(order.parent_id, agentOf(order)), set: { outcome, expires_at } },
        { table, update: orderSumKey(order.parent_id, order.id.slice(-1)), add: { [outcome]: 1 } },
      ];

/** The parent of an order that ends looks whether that was its last child. */
export const childEndEvents = ({ parent_id }: StoredOrder): Occurrence[] =>
  parent_id === undefined ? [] : [occurrence(childEnded, { parent_id })];

const Counters = z.object({
  total: z.int().default(0),
  all_made: z.boolean().default(false),
  COMPLETED: z.int().default(0),
  FAILED: z.int().default(0),
  CANCELLED: z.int().default(0),
});

/** The children of a parent in numbers, and whether all of them are made. One query; undefined if the parent is gone. */
export async function readSum(database: Database, parentId: string): Promise<{ children: ChildrenSum; allMade: boolean } | undefined> {
  const { items } = await database.query(table, { pk: orderSumPk(parentId) });
  if (!items.some(({ sk }) => sk === orderSumTotalKey(parentId).sk)) return undefined;
  const counters = items.map((item) => Counters.parse(item));
  const sum = (name: 'total' | ChildOutcome) => counters.reduce((count, counter) => count + counter[name], 0);
  const [total, completed, failed, cancelled] = [sum('total'), sum('COMPLETED'), sum('FAILED'), sum('CANCELLED')];
  const children = { total, open: total - completed - failed - cancelled, completed, failed, cancelled };
  return { children, allMade: counters.some(({ all_made }) => all_made) };
}

const Child = z.object({ sk: z.string(), id: z.guid(), outcome: z.enum(['COMPLETED', 'FAILED', 'CANCELLED']).optional() });
/** A child's item: `sk` is the agent's id, `outcome` is absent as long as the child lives. */
export const childOf = (item: Item) => Child.parse(item);
