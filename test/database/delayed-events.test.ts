import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { occurrence } from '../../lib/platform/events/domain-event.ts';
import { type OutboxItem, relay } from '../../lib/platform/events/outbox.ts';
import type { Message, Queues } from '../../lib/platform/queue/queues.ts';
import { type ContractStore, openContractStore } from './contract-store.ts';
import { fanout, outboxWorld, stackChanged } from './outbox-world.ts';
import { openTestQueues, type TestQueues } from './test-queues.ts';

let store: ContractStore;
let queues: TestQueues;
let world: Awaited<ReturnType<typeof outboxWorld>>;
beforeAll(async () => {
  [store, queues] = await Promise.all([openContractStore(), openTestQueues(['fanout'])]);
});
afterAll(() => Promise.all([store.close(), queues.close()]));
beforeEach(async () => {
  world = await outboxWorld(store);
});

const MINUTE_MS = 60_000;
/** Commits an event that no consumer may get before this time has passed. Returns what its request may send. */
async function commitFor(waitMs: number): Promise<OutboxItem[]> {
  const now: OutboxItem[] = [];
  await world.committing([fanout], (items) => now.push(...items))({
    writes: [],
    audit: { note: 'n' },
    events: [occurrence(stackChanged, { stack: 'web' }, world.clock.nowMs() + waitMs)],
  });
  return now;
}
const noting = (sent: Message[]): Queues => ({
  async send(_queue, messages) {
    sent.push(...messages);
    return [];
  },
});

test('an event of the next five minutes is sent at once, and its queue holds it back', async () => {
  const sent: Message[] = [];
  expect(await relay(await commitFor(90_500), world.ports(noting(sent)))).toBe(0);
  expect(sent).toMatchObject([{ delaySeconds: 91 }]);
  expect(await world.waiting()).toEqual([]);
});

test('a later event stays in the outbox until its queue can hold it back, and then waits for the rest of its time', async () => {
  const sent: Message[] = [];
  expect(await commitFor(60 * MINUTE_MS)).toEqual([]);
  for (const passed of [1, 53]) {
    world.pass(passed * MINUTE_MS);
    await world.sweep(noting(sent));
    expect(sent).toEqual([]);
  }
  world.pass(2 * MINUTE_MS);
  await world.sweep(noting(sent));
  expect(sent).toMatchObject([{ delaySeconds: 240 }]);
  expect(await world.waiting()).toEqual([]);
});

test('an event whose time has passed before it was sent is not held back', async () => {
  const sent: Message[] = [];
  const items = await commitFor(30_000);
  world.pass(MINUTE_MS);
  await relay(items, world.ports(noting(sent)));
  expect(sent).toHaveLength(1);
  expect(sent[0]).not.toHaveProperty('delaySeconds');
});

test('the queue itself delivers a held message later', async () => {
  expect(await queues.queues.send('fanout', [{ id: 'a', body: 'later', delaySeconds: 900 }])).toEqual([]);
  const { Attributes } = await queues.client.send(
    new GetQueueAttributesCommand({ QueueUrl: queues.urlOf('fanout'), AttributeNames: ['ApproximateNumberOfMessagesDelayed'] }),
  );
  expect(Attributes?.ApproximateNumberOfMessagesDelayed).toBe('1');
  expect(await queues.take('fanout')).toEqual([]);
});
