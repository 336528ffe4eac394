import type { Key } from '../platform/database/database.ts';
import type { Table } from '../platform/database/table.ts';

/**
 * The telemetry table: the audit log and the agents' events. Everything in it expires.
 *
 * | who asks                         | what                         | where                                                | cost       |
 * | -------------------------------- | ---------------------------- | ---------------------------------------------------- | ---------- |
 * | audit log                        | newest first                 | `AUDIT#<shard>`, `REFUSED#<shard>` `<time>#<id>`     | 20 queries |
 * | audit log of one resource        | newest first                 | `AUDITED#<resource>` `<time>#<id>`                   | 1 query    |
 * | agent events: get, or many       | one                          | `EVENT#<id>` `EVENT`                                 | 1 each     |
 * | agent events: all                | newest first                 | `EVENTS#<shard>` `<time>#<id>`                       | 16 queries |
 * | agent events of an agent         | newest first                 | `EVENTS#AGENT#<agent>` `<time>#<id>`                 | 1 query    |
 * | agent events on a stack          | newest first                 | `EVENTS#STACK#<stack>#<shard>` `<time>#<id>`         | 16 queries |
 *
 * A list whose sort keys rise with time is written only at its end, where one partition takes 1,000 write units a second. Such a list
 * is spread over sixteen partitions by the first digit of its entries' random ids, which are read side by side. The entries of one agent
 * or one resource stay far below that limit and have one partition. Refused keys have partitions of their own: anybody can cause them,
 * and they must not slow down what the fleet writes (docs/decisions/0011-lists.md).
 */
export const telemetryTable: Table = { name: 'telemetry', timeToLive: true };

const SHARDS = [...'0123456789abcdef'] as const;
const shardOf = (id: string) => id[0]?.toLowerCase() ?? '0';
const stamped = (time: string, id: string) => `${time}#${id}`;
/** A sort key of these lists. */
export const isStamped = (sk: string): boolean => /^\d{4}-\d\d-\d\dT[\d:.]{8,12}Z#[0-9a-f-]{36}$/.test(sk);

export const auditPks: readonly string[] = SHARDS.map((shard) => `AUDIT#${shard}`);
export const auditKey = (time: string, id: string): Key => ({ pk: `AUDIT#${shardOf(id)}`, sk: stamped(time, id) });
const REFUSAL_SHARDS = 4;
const refusalPk = (shard: number) => `REFUSED#${shard}`;
export const refusalPks: readonly string[] = Array.from({ length: REFUSAL_SHARDS }, (_, shard) => refusalPk(shard));
export const refusalKey = (time: string, id: string): Key => ({
  pk: refusalPk(Number.parseInt(shardOf(id), 16) % REFUSAL_SHARDS),
  sk: stamped(time, id),
});
export const auditResourcePk = (resourceId: string): string => `AUDITED#${resourceId}`;
export const auditResourceKey = (resourceId: string, time: string, id: string): Key => ({
  pk: auditResourcePk(resourceId),
  sk: stamped(time, id),
});

export const eventKey = (id: string): Key => ({ pk: `EVENT#${id}`, sk: 'EVENT' });
export const eventPks: readonly string[] = SHARDS.map((shard) => `EVENTS#${shard}`);
export const eventListKey = (time: string, id: string): Key => ({ pk: `EVENTS#${shardOf(id)}`, sk: stamped(time, id) });
export const eventAgentPk = (agentId: string): string => `EVENTS#AGENT#${agentId}`;
export const eventAgentKey = (agentId: string, time: string, id: string): Key => ({ pk: eventAgentPk(agentId), sk: stamped(time, id) });
const eventStackPk = (stackId: string, shard: string) => `EVENTS#STACK#${stackId}#${shard}`;
export const eventStackPks = (stackId: string): string[] => SHARDS.map((shard) => eventStackPk(stackId, shard));
export const eventStackKey = (stackId: string, time: string, id: string): Key => ({
  pk: eventStackPk(stackId, shardOf(id)),
  sk: stamped(time, id),
});
