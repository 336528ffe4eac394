import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { deadLetterQueue } from '../../functions/app.ts';
import { pollQueue, type QueuePoller } from '../../infra/host/queue-poller.ts';
import { systemClock } from '../../lib/platform/clock.ts';
import { ConditionFailed, type Database } from '../../lib/platform/database/database.ts';
import { type BatchPorts, consumerFor, Rejected } from '../../lib/platform/events/consumer.ts';
import { defineEvent } from '../../lib/platform/events/domain-event.ts';
import { handledMark } from '../../lib/platform/events/handled-mark.ts';
import { queueFunction } from '../../lib/platform/events/queue-function.ts';
import { type ContractStore, freshPk, openContractStore } from './contract-store.ts';
import { eventually, openTestQueues, silent, type TestQueues } from './test-queues.ts';

const QUEUE = 'tally';
const counted = defineEvent({
  name: 'counted',
  schema: z.object({ by: z.number(), version: z.number().optional(), fault: z.enum(['after-effect', 'always', 'rejected']).optional() }),
});

const moved = defineEvent({
  name: 'moved',
  schema: z.object({ to: z.discriminatedUnion('kind', [z.object({ kind: z.literal('shelf'), shelf: z.int() })]) }),
});

/** An effect whose transaction contains the mark that the event was handled. */
async function countOnce(database: Database, table: string, pk: string, id: string, by: number, version = 0) {
  const newer = { table, update: { pk, sk: 'LATEST' }, set: { version }, if: { below: { version } } };
  await database.write(newer).catch((error) => {
    if (!(error instanceof ConditionFailed)) throw error;
  });
  await database.transact([
    handledMark(table, { queue: QUEUE, eventId: id, nowMs: systemClock.nowMs() }),
    { table, update: { pk, sk: 'TOTAL' }, add: { total: by } },
  ]);
}

describe('a consumer on a real queue', () => {
  let store: ContractStore;
  let queues: TestQueues;
  let poller: QueuePoller;
  const pk = freshPk();
  const attempts = new Map<string, number>();

  const tally = consumerFor<undefined>()<z.infer<typeof counted.schema> | z.infer<typeof moved.schema>>({
    queue: QUEUE,
    events: [counted, moved],
    async handle(_services, { id, data }, { attempt }) {
      if ('to' in data) return;
      const { by, version, fault } = data;
      attempts.set(id, Math.max(attempt, attempts.get(id) ?? 0));
      if (fault === 'always') throw new Error('poison');
      if (fault === 'rejected') throw new Rejected('makes no sense');
      await countOnce(store.database, store.table, pk, id, by, version);
      if (fault === 'after-effect' && attempt < 3) throw new Error('failed after its effect');
    },
  });

  beforeAll(async () => {
    // Failed messages come back after a second here, instead of three minutes.
    [store, queues] = await Promise.all([openContractStore(), openTestQueues([QUEUE], { visibilityTimeoutSeconds: 1 })]);
    const ports: BatchPorts = {
      log: silent,
      async moveToDeadLetterQueue(queue, delivery, reason) {
        const refused = await queues.queues.send(deadLetterQueue(queue), [{ id: delivery.id, body: delivery.body }]);
        if (refused.length > 0) throw reason;
      },
    };
    const handler = queueFunction(tally, async () => ({ ...ports, services: undefined }));
    poller = pollQueue({ client: queues.client, queueUrl: queues.urlOf(QUEUE), queue: QUEUE, handler, clock: systemClock, log: silent });
  }, 60_000);
  afterAll(async () => {
    await poller.stop();
    await Promise.all([store.close(), queues.close()]);
  }, 60_000);

  const message = (id: string, data: z.infer<typeof counted.schema>) => ({ id, body: JSON.stringify({ id, event: 'counted', data }) });
  const send = (...messages: { id: string; body: string }[]) => queues.queues.send(QUEUE, messages);
  const total = async () => (await store.database.get(store.table, { pk, sk: 'TOTAL' }))?.total ?? 0;
  const freshTotal = async (act: () => Promise<unknown>) => {
    const before = Number(await total());
    await act();
    return async () => Number(await total()) - before;
  };

  test('a message that is delivered ten times among others is counted once', async () => {
    const since = await freshTotal(() =>
      send(...Array.from({ length: 10 }, () => message('again', { by: 1 })), ...[1, 2, 3].map((n) => message(`other-${n}`, { by: 10 }))),
    );
    await eventually(async () => expect(await since()).toBe(31));
  });

  test('messages that arrive in reverse order leave the newest version stored', async () => {
    await send(...[5, 4, 3, 2, 1].map((version) => message(`v${version}`, { by: 0, version })));
    await eventually(() => expect([1, 2, 3, 4, 5].every((version) => attempts.has(`v${version}`))).toBe(true));
    await eventually(async () => expect((await store.database.get(store.table, { pk, sk: 'LATEST' }))?.version).toBe(5));
  });

  test('a message that always fails goes to the dead-letter queue after five attempts and delays no other message', async () => {
    const since = await freshTotal(() =>
      send(
        message('poison', { by: 1_000, fault: 'always' }),
        ...Array.from({ length: 8 }, (_, n) => message(`good-${n}`, { by: 1 })),
        message('slow', { by: 1, fault: 'after-effect' }),
      ),
    );
    await eventually(async () => expect(await since()).toBe(9));
    expect(attempts.get('poison')).toBeLessThanOrEqual(2);
    // A delivery that failed after its effect was tried again, and still counted once.
    await eventually(() => expect(attempts.get('slow')).toBe(2));
    await eventually(async () => expect(await queues.dead(QUEUE)).toEqual([message('poison', { by: 1_000, fault: 'always' }).body]));
    expect(attempts.get('poison')).toBe(5);
    expect(await since()).toBe(9);
  });

  test('a message that is malformed or that its consumer rejects goes to the dead-letter queue at its first delivery', async () => {
    const hopeless = [
      { id: 'a', body: 'not JSON' },
      { id: 'b', body: JSON.stringify({ event: 'counted', data: { by: 1 } }) },
      { id: 'c', body: JSON.stringify({ id: 'c', event: 'counted', data: { by: 'one' } }) },
      { id: 'd', body: JSON.stringify({ id: 'd', event: 'moved', data: { to: { shelf: 1 } } }) },
      { id: 'e', body: JSON.stringify({ id: 'e', event: 'moved', data: { to: { kind: 'shelf', shelf: 'one' } } }) },
      message('refused', { by: 1, fault: 'rejected' }),
    ];
    const before = await queues.dead(QUEUE);
    await send(...hopeless);
    await eventually(async () => {
      const dead = await queues.dead(QUEUE);
      expect(dead.slice(before.length).sort()).toEqual(hopeless.map(({ body }) => body).sort());
    });
    expect(attempts.get('refused')).toBe(1);
  });

  test('an event, or a kind of event, that only a newer version knows is returned to its queue for another attempt', async () => {
    const newer = [
      JSON.stringify({ id: 'n1', event: 'merged', data: {} }),
      JSON.stringify({ id: 'n2', event: 'moved', data: { to: { kind: 'drawer', drawer: 1 } } }),
    ];
    const sqsEvent = { Records: newer.map((body, n) => ({ messageId: `m${n}`, body, attributes: { ApproximateReceiveCount: '1' } })) };
    const moved: string[] = [];
    const handler = queueFunction(tally, async () => ({
      log: silent,
      services: undefined,
      moveToDeadLetterQueue: async (_queue, { id }) => void moved.push(id),
    }));
    const { batchItemFailures } = await handler(sqsEvent as never);
    expect(batchItemFailures).toEqual([{ itemIdentifier: 'm0' }, { itemIdentifier: 'm1' }]);
    expect(moved).toEqual([]);
  });
});
