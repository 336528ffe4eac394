import * as z from 'zod';
import { type Clock, systemClock } from '../../lib/platform/clock.ts';
import { createCommit } from '../../lib/platform/database/commit.ts';
import type { Database, Item } from '../../lib/platform/database/database.ts';
import { consumerFor } from '../../lib/platform/events/consumer.ts';
import { type DomainEvent, defineEvent, occurrence } from '../../lib/platform/events/domain-event.ts';
import type { OutboxItem, RelayPorts } from '../../lib/platform/events/outbox.ts';
import { type SweepOptions, sweepOutbox } from '../../lib/platform/events/sweep-outbox.ts';
import { OUTBOX_SHARDS, outboxKey, outboxPk } from '../../lib/platform/events/work-table.ts';
import type { Queues } from '../../lib/platform/queue/queues.ts';
import { type ContractStore, freshPk } from './contract-store.ts';
import { silent } from './test-queues.ts';

export const stackChanged = defineEvent({ name: 'stack.changed', schema: z.object({ stack: z.string() }) });
export const consumer = (queue: string) => consumerFor()({ queue, events: [stackChanged], handle: async () => {} });
export const [fanout, webhooks] = [consumer('fanout'), consumer('webhooks')];

/** Queues that accept every message and note it in `sent`. */
export const accepting = (sent: string[] = []): Queues => refusing(() => false, sent);
export const refusing = (refused: (queue: string, body: string) => boolean, sent: string[] = []): Queues => ({
  async send(queue, messages) {
    const turnedAway = messages.filter(({ body }) => refused(queue, body));
    sent.push(...messages.filter((message) => !turnedAway.includes(message)).map(({ id }) => `${queue}:${id}`));
    return turnedAway.map(({ id }) => id);
  },
});

/** The emptied outbox of one store, with a clock that moves only when a test moves it. */
export async function outboxWorld(store: ContractStore) {
  const { database, table } = store;
  let now = Date.parse('2026-01-01T00:00:00Z');
  const clock: Clock = { ...systemClock, nowMs: () => now };
  const pass = (ms: number) => {
    now += ms;
  };
  const ports = (queues: Queues, change: Partial<RelayPorts> = {}): RelayPorts => ({
    database,
    table,
    clock,
    queues,
    consumers: [fanout],
    ...change,
  });
  const committing = (consumers = [fanout], afterCommit: (items: readonly OutboxItem[]) => void = () => {}, through: Database = database) =>
    createCommit<{ note: string }>({
      database: through,
      outbox: { table, clock, consumers },
      auditWrites: ({ note }) => [{ table, put: { pk: freshPk(), sk: note } }],
      afterCommit,
    });
  const stored = async () => {
    const pages = await Promise.all(OUTBOX_SHARDS.map((shard) => database.query(table, { pk: outboxPk(shard) })));
    return pages.flatMap(({ items }) => items);
  };
  const put = (item: Item) => database.write({ table, put: item });
  for (const { pk, sk } of await stored()) await database.write({ table, delete: { pk, sk } });
  return {
    clock,
    pass,
    ports,
    committing,
    stored,
    put,
    shardOf: (id: string) => outboxKey(id, now).pk.slice('OUTBOX#'.length),
    waiting: async () => (await stored()).map(({ id }) => id).sort(),
    sweep: (queues: Queues, { drainForMs = 60_000, ...options }: Partial<SweepOptions> = {}, change: Partial<RelayPorts> = {}) =>
      sweepOutbox(ports(queues, change), { drainForMs, log: silent, ...options }),
    /** Stores that many events, and returns their items in the outbox. */
    async commitEvents(count: number, { consumers = [fanout], event = stackChanged as DomainEvent<unknown>, stack = 's' } = {}) {
      const items: OutboxItem[] = [];
      const events = Array.from({ length: count }, (_, n) => occurrence(event, { stack: `${stack}${n}` }));
      const commit = committing(consumers, (stored) => items.push(...stored));
      for (let start = 0; start < count; start += 50)
        await commit({ writes: [], audit: { unaudited: 'test' }, events: events.slice(start, start + 50) });
      return items;
    },
  };
}
