import type { Key } from '../../platform/database/database.ts';
import type { Table } from '../../platform/database/table.ts';
import { workTable } from '../../platform/events/work-table.ts';

/**
 * Work orders, in the work table.
 *
 * | who asks                              | what                                  | where                                             | cost |
 * | ------------------------------------- | ------------------------------------- | ------------------------------------------------- | ---- |
 * | every verb about one order            | its home: state, targets, settings    | `ORDERS#<shard>` `<id>`                           | 1 read unit |
 * | orders: list, newest first            | all homes                             | `ORDERS#<shard>` `<id>`                           | 16 queries |
 * | a generator's orders, newest first   | edges to the homes of its orders       | `ORDEROWNER#<generator>` `<id>`                   | 1 query, 1 more for each order |
 * | the pending list of an agent          | orders that name it, its labels or its annotations, oldest first | `ORDERTARGET#<owner>#…` `<id>` | a query for each |
 * | the pending list: what is offered     | an agent's offers                     | `OFFERS#<agent>` `<order>`                        | 1 query |
 * | the dispatcher: woken a moment ago?   | when the agents of a target were woken | `ORDERWAKE#<owner>#…` `WAKE`                     | 1 conditional put |
 * | whoever reads an order or its log     | its YAML                              | `ORDER#<id>` `BODY#<n>`                           | 1 each |
 * | an order for all agents: has the agent a child? | its children, by agent      | `ORDERCHILD#<parent>` `<agent>`                   | 1 each |
 * | an order for all agents: the sum      | counters of its children              | `ORDERSUM#<parent>` `TOTAL`, `<shard>`            | 1 query of 17 items |
 * | a finished order                      | its log entry                         | `ORDERLOG#<id>` `ENTRY`                           | 1 |
 * | the log, the last completed first     | references to log entries             | `ORDERLOG#<shard>` `<completed_at>#<id>`          | 16 queries, 1 more for each entry |
 * | a generator's log                     | the same references, of its orders alone | `ORDERLOGOWNER#<generator>` `<completed_at>#<id>` | 1 query, 1 more for each entry |
 *
 * An order's id begins with the time of its creation (a version 7 UUID), so that the homes are a list in time order themselves. The
 * last digit of the id spreads them over sixteen partitions: see lib/platform/database/time-order.ts.
 *
 * A live order is there until it ends. Then its home and its edges go and its log entry comes, in one transaction. Log entries and
 * their YAML expire. A removed generator's live orders are removed by the clean-up (lib/fleet/removal).
 *
 * A generator's two lists stand in one partition each, so its own orders alone can make it busy (1,000 writes a second).
 *
 * A removed agent leaves edges, offers and claims of orders behind. They are harmless: nothing is claimed for an agent that is gone, a
 * nudge to it does nothing, and its claim ends with the lease. They go when their order ends or is cancelled. An order that names removed
 * agents alone stays PENDING until it is cancelled.
 */
export const workOrdersTable: Table = workTable;

const SHARDS = [...'0123456789abcdef'] as const;
const shardOf = (id: string) => id.at(-1) ?? '0';
/** Encodes a user's text in the middle of a key, so that one text never looks like two parts. */
const part = encodeURIComponent;

export const orderPks: readonly string[] = SHARDS.map((shard) => `ORDERS#${shard}`);
export const orderKey = (id: string): Key => ({ pk: `ORDERS#${shardOf(id)}`, sk: id });
export const orderOwnerPk = (generatorId: string): string => `ORDEROWNER#${generatorId}`;
export const orderOwnerKey = (generatorId: string, id: string): Key => ({ pk: orderOwnerPk(generatorId), sk: id });
export const orderBodyKey = (id: string, n: number): Key => ({ pk: `ORDER#${id}`, sk: `BODY#${n}` });

/** What an order is for: one agent, or all agents with a label or with an annotation. */
export type OrderTarget = { agent_id: string } | { label: string } | { key: string; value: string };
/** The owner of orders that an admin makes. */
export const ADMIN_OWNER = 'ADMIN';
/**
 * Orders of different owners never share a partition: a generator with very many orders for a label must not stand before the orders
 * of others.
 */
export const orderTargetPk = (owner: string, target: OrderTarget): string => `ORDERTARGET#${owner}#${targetText(target)}`;
function targetText(target: OrderTarget): string {
  if ('agent_id' in target) return `AGENT#${target.agent_id}`;
  return 'label' in target ? `LABEL#${part(target.label)}` : `ANNOTATION#${part(target.key)}=${part(target.value)}`;
}
export const orderTargetKey = (owner: string, target: OrderTarget, id: string): Key => ({ pk: orderTargetPk(owner, target), sk: id });

export const orderWakeKey = (owner: string, target: OrderTarget): Key => ({ pk: `ORDERWAKE#${owner}#${targetText(target)}`, sk: 'WAKE' });

export const offersPk = (agentId: string): string => `OFFERS#${agentId}`;
export const offerKey = (agentId: string, id: string): Key => ({ pk: offersPk(agentId), sk: id });

export const orderChildPk = (parentId: string): string => `ORDERCHILD#${parentId}`;
export const orderChildKey = (parentId: string, agentId: string): Key => ({ pk: orderChildPk(parentId), sk: agentId });
export const orderSumPk = (parentId: string): string => `ORDERSUM#${parentId}`;
export const orderSumTotalKey = (parentId: string): Key => ({ pk: orderSumPk(parentId), sk: 'TOTAL' });
export const orderSumShards: readonly string[] = SHARDS;
export const orderSumKey = (parentId: string, shard: string): Key => ({ pk: orderSumPk(parentId), sk: shard });

export const orderLogKey = (id: string): Key => ({ pk: `ORDERLOG#${id}`, sk: 'ENTRY' });
export const orderLogPks: readonly string[] = SHARDS.map((shard) => `ORDERLOG#${shard}`);
const placeInLog = (completedAt: string, id: string) => `${completedAt}#${id}`;
export const orderLogListKey = (completedAt: string, id: string): Key => ({
  pk: `ORDERLOG#${shardOf(id)}`,
  sk: placeInLog(completedAt, id),
});
export const orderLogOwnerPk = (generatorId: string): string => `ORDERLOGOWNER#${generatorId}`;
export const orderLogOwnerKey = (generatorId: string, completedAt: string, id: string): Key => ({
  pk: orderLogOwnerPk(generatorId),
  sk: placeInLog(completedAt, id),
});
