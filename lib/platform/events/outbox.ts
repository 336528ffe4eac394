import * as z from 'zod';
import type { Clock } from '../clock.ts';
import type { Database, Item, Write } from '../database/database.ts';
import { newId } from '../ids.ts';
import type { Queues } from '../queue/queues.ts';
import type { AnyConsumer, Envelope } from './consumer.ts';
import type { Occurrence } from './domain-event.ts';

/**
 * Events are written in the transaction of what they tell of, and leave from there: relayed to the queue of each consumer that
 * subscribes to them, and deleted only after every queue has accepted them. At least once, in no promised order.
 *
 * Keys in the work table: `OUTBOX#<shard>` | `<time>#<id>`. Four shards spread the writes; a sweep is one query each.
 */
const SHARDS = ['0', '1', '2', '3'] as const;
const shardOf = (id: string) => SHARDS[Number.parseInt(id.slice(0, 2), 16) % SHARDS.length] ?? '0';

const OutboxItem = z.object({ pk: z.string(), sk: z.string(), id: z.string(), event: z.string(), data: z.unknown() });
export type OutboxItem = z.infer<typeof OutboxItem>;

export function outboxItem({ event, data }: Occurrence, clock: Clock): OutboxItem {
  const id = newId();
  return {
    pk: `OUTBOX#${shardOf(id)}`,
    sk: `${new Date(clock.nowMs()).toISOString()}#${id}`,
    id,
    event: event.name,
    data: event.schema.parse(data),
  };
}
export const outboxWrite = (table: string, item: OutboxItem): Write => ({ table, put: { ...item, type: 'outbox' } as Item });

export interface RelayPorts {
  database: Database;
  table: string;
  queues: Queues;
  consumers: readonly AnyConsumer[];
}

/** Sends these items on and deletes what every queue accepted; returns how many remain for the next sweep. */
export async function relay(items: readonly OutboxItem[], { database, table, queues, consumers }: RelayPorts): Promise<number> {
  const refused = new Set<string>();
  for (const consumer of consumers) {
    const wanted = items.filter((item) => consumer.events.some((event) => event.name === item.event));
    const bodies = wanted.map(({ id, event, data }) => ({ id, body: JSON.stringify({ id, event, data } satisfies Envelope) }));
    for (const id of await queues.send(consumer.queue, bodies)) refused.add(id);
  }
  const accepted = items.filter((item) => !refused.has(item.id));
  await Promise.all(accepted.map(({ pk, sk }) => database.write({ table, delete: { pk, sk } })));
  return refused.size;
}

/** Relays what is in the outbox, oldest first, up to `limit` a shard: what a stream or a nudge missed. */
export async function sweepOutbox(ports: RelayPorts, limit = 100): Promise<{ relayed: number; left: number }> {
  const pages = await Promise.all(SHARDS.map((shard) => ports.database.query(ports.table, { pk: `OUTBOX#${shard}`, limit })));
  const items = pages.flatMap((page) => page.items).map((item) => OutboxItem.parse(item));
  if (items.length === 0) return { relayed: 0, left: 0 };
  const left = await relay(items, ports);
  return { relayed: items.length - left, left };
}
