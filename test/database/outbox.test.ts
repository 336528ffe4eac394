import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { systemClock } from '../../lib/platform/clock.ts';
import { createCommit } from '../../lib/platform/database/commit.ts';
import type { Database } from '../../lib/platform/database/database.ts';
import { consumerFor } from '../../lib/platform/events/consumer.ts';
import { defineEvent, occurrence } from '../../lib/platform/events/domain-event.ts';
import { type OutboxItem, type RelayPorts, relay, sweepOutbox } from '../../lib/platform/events/outbox.ts';
import type { Queues } from '../../lib/platform/queue/queues.ts';
import { type ContractStore, freshPk, openContractStore } from './contract-store.ts';
import { openTestQueues, type TestQueues } from './test-queues.ts';

const stackChanged = defineEvent({ name: 'stack.changed', schema: z.object({ stack: z.string() }) });
const unheard = defineEvent({ name: 'nobody.listens', schema: z.object({}) });
const consumer = (queue: string) => consumerFor()({ queue, events: [stackChanged], handle: async () => {} });
const [fanout, webhooks] = [consumer('fanout'), consumer('webhooks')];

describe('the outbox', () => {
  let store: ContractStore;
  let queues: TestQueues;
  beforeAll(async () => {
    [store, queues] = await Promise.all([openContractStore(), openTestQueues(['fanout', 'webhooks'])]);
  });
  afterAll(() => Promise.all([store.close(), queues.close()]));
  // Tests share the outbox's four partitions: each starts with them empty.
  beforeEach(async () => {
    await sweepOutbox(ports(accepting([])));
  });

  const ports = (through: Queues, database: Database = store.database, consumers = [fanout]): RelayPorts => ({
    database,
    table: store.table,
    queues: through,
    consumers,
  });
  /** A queue that takes everything and notes it. */
  const accepting = (sent: string[]): Queues => ({
    async send(queue, messages) {
      sent.push(...messages.map(({ id }) => `${queue}:${id}`));
      return [];
    },
  });
  const refusing = (refused: (queue: string, id: string) => boolean, sent: string[] = []): Queues => ({
    async send(queue, messages) {
      sent.push(...messages.filter(({ id }) => !refused(queue, id)).map(({ id }) => `${queue}:${id}`));
      return messages.filter(({ id }) => refused(queue, id)).map(({ id }) => id);
    },
  });
  const committing = (committed: (items: readonly OutboxItem[]) => void = () => {}) =>
    createCommit<{ note: string }>({
      database: store.database,
      clock: systemClock,
      outboxTable: store.table,
      auditWrites: ({ note }) => [{ table: store.table, put: { pk: freshPk(), sk: note } }],
      committed,
    });
  const commitEvents = async (count: number, event: typeof stackChanged = stackChanged) => {
    let items: readonly OutboxItem[] = [];
    const events = Array.from({ length: count }, (_, n) => occurrence(event, { stack: `s${n}` }));
    await committing((stored) => {
      items = stored;
    })({ writes: [], audit: { unaudited: 'test' }, events });
    return items;
  };
  const waiting = async () => {
    const pages = await Promise.all(['0', '1', '2', '3'].map((shard) => store.database.query(store.table, { pk: `OUTBOX#${shard}` })));
    return pages.flatMap(({ items }) => items.map(({ id }) => id)).sort();
  };

  test('an entity and the event that tells of it are stored together, or neither is', async () => {
    const pk = freshPk();
    const told: unknown[] = [];
    const change = {
      writes: [{ table: store.table, put: { pk, sk: 'STACK' }, if: { exists: false } }],
      audit: { note: 'stack.create' },
      events: [occurrence(stackChanged, { stack: 'web' })],
    };
    const commit = committing((items) => told.push(...items));
    await commit(change);
    expect(await waiting()).toHaveLength(1);
    await expect(commit(change)).rejects.toThrow('condition failed');
    expect(await waiting()).toHaveLength(1);
    expect(told).toHaveLength(1);
  });

  test('an event that does not fit its own schema is never stored, nor is its change', async () => {
    const pk = freshPk();
    const events = [occurrence(stackChanged, { stack: 5 } as never)];
    await expect(committing()({ writes: [{ table: store.table, put: { pk, sk: 'A' } }], audit: { note: 'n' }, events })).rejects.toThrow();
    expect(await store.database.count(store.table, pk)).toBe(0);
  });

  test('what every queue accepted leaves; what one refused stays, and goes with the next sweep', async () => {
    const items = await commitEvents(5);
    const refused = items[2]?.id ?? '';
    expect(await relay(items, ports(refusing((_queue, id) => id === refused)))).toBe(1);
    expect(await waiting()).toEqual([refused]);
    const sent: string[] = [];
    expect(await sweepOutbox(ports(accepting(sent)))).toEqual({ relayed: 1, left: 0 });
    expect(sent).toEqual([`fanout:${refused}`]);
    expect(await waiting()).toEqual([]);
  });

  test('an event for two queues waits for the second, and the first hears of it again', async () => {
    const [item] = await commitEvents(1);
    const sent: string[] = [];
    await relay(
      item ? [item] : [],
      ports(
        refusing((queue) => queue === 'webhooks', sent),
        store.database,
        [fanout, webhooks],
      ),
    );
    expect(await waiting()).toEqual([item?.id]);
    await sweepOutbox(ports(accepting(sent), store.database, [fanout, webhooks]));
    expect(sent).toEqual([`fanout:${item?.id}`, `fanout:${item?.id}`, `webhooks:${item?.id}`]);
  });

  test('a relay that dies between sending and deleting sends again rather than forgets', async () => {
    const [item] = await commitEvents(1);
    const sent: string[] = [];
    const dying: Database = { ...store.database, write: () => Promise.reject(new Error('died')) };
    await expect(relay(item ? [item] : [], ports(accepting(sent), dying))).rejects.toThrow('died');
    await sweepOutbox(ports(accepting(sent)));
    expect(sent).toEqual([`fanout:${item?.id}`, `fanout:${item?.id}`]);
  });

  test('an event nobody subscribes to does not stay for ever', async () => {
    await commitEvents(1, unheard as never);
    expect(await sweepOutbox(ports(refusing(() => true)))).toEqual({ relayed: 1, left: 0 });
    expect(await waiting()).toEqual([]);
  });

  test('a sweep takes a bounded part, oldest first, and the next one goes on', async () => {
    const before = await commitEvents(20);
    await commitEvents(20);
    const sent: string[] = [];
    for (let sweeps = 0; sweeps < 40 && (await waiting()).length > 0; sweeps++) {
      const { relayed } = await sweepOutbox(ports(accepting(sent)), 2);
      expect(relayed).toBeLessThanOrEqual(8);
    }
    expect(sent).toHaveLength(40);
    const position = (id: string) => sent.indexOf(`fanout:${id}`);
    for (const shard of ['0', '1', '2', '3']) {
      const positions = before
        .filter(({ pk }) => pk === `OUTBOX#${shard}`)
        .toSorted((a, b) => (a.sk < b.sk ? -1 : 1))
        .map(({ id }) => position(id));
      expect(positions).toEqual(positions.toSorted((a, b) => a - b));
    }
  });

  test('through real queues: swept events arrive as they were told, more than one batch of them', async () => {
    const items = await commitEvents(25);
    expect(await sweepOutbox(ports(queues.queues))).toEqual({ relayed: 25, left: 0 });
    const bodies = (await queues.take('fanout')).map((body) => JSON.parse(body));
    expect(bodies.map(({ id }) => id).sort()).toEqual(items.map(({ id }) => id).sort());
    expect(bodies).toContainEqual({ id: items[0]?.id, event: 'stack.changed', data: { stack: 's0' } });
  });

  test('a queue that is not there keeps its events in the outbox', async () => {
    await commitEvents(1);
    expect(await sweepOutbox(ports(queues.queues, store.database, [consumer('missing')]))).toEqual({ relayed: 0, left: 1 });
    expect(await waiting()).toHaveLength(1);
  });
});
