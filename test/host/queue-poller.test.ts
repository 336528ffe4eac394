import { rm } from 'node:fs/promises';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, expect, test } from '@jest/globals';
import * as z from 'zod';
import { app, deadLetterQueue } from '../../functions/app.ts';
import type { Services } from '../../functions/services.ts';
import { consumerFor } from '../../lib/platform/events/consumer.ts';
import { defineEvent } from '../../lib/platform/events/domain-event.ts';
import { type QueueFunction, queueFunction } from '../../lib/platform/events/queue-function.ts';
import { sqsClient } from '../../lib/platform/queue/sqs-queues.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { temporaryDataDir } from '../harness/host-process.ts';

const happened = defineEvent({ name: 'test.happened', schema: z.object({ n: z.int() }) });
let host: TestHost | undefined;
afterEach(() => host?.stop());

/** A host with one queue, whose consumer calls `handle`. */
async function hostWith(handle: (n: number, attempt: number) => Promise<void>, wrap = (handler: QueueFunction) => handler) {
  const consumer = consumerFor<Services>()({
    queue: 'test',
    events: [happened],
    handle: (_services, { data }, { attempt }) => handle(data.n, attempt),
  });
  host = await startTestHost({
    functions: { queueGroups: [{ name: 'test', file: '', consumer, handler: wrap(queueFunction(consumer, app)) }], scheduleGroups: [] },
    queueSettings: { visibilityTimeoutSeconds: 1 },
  });
  const { queues } = host.app.services.outbox;
  const bodies = (numbers: readonly number[]) =>
    numbers.map((n) => ({ id: String(n), body: JSON.stringify({ id: String(n), event: happened.name, data: { n } }) }));
  return {
    host,
    send: (...numbers: number[]) => queues.send('test', bodies(numbers)),
    sendText: (body: string) => queues.send('test', [{ id: 'text', body }]),
    /** The next message in the dead-letter queue. */
    async dead(): Promise<string | undefined> {
      const client = sqsClient({ endpoint: host?.config.SQS_ENDPOINT ?? '' });
      const QueueUrl = `${host?.config.SQS_ENDPOINT}/000000000000/brokkr-${deadLetterQueue('test')}`;
      const { Messages = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10 }));
      client.destroy();
      return Messages[0]?.Body;
    },
  };
}

/** A promise with its resolver, for handlers that signal a test. */
const signal = () => Promise.withResolvers<void>();

test('a failing message is retried and goes to the dead-letter queue, while the others of its batch are handled once', async () => {
  const handled: number[] = [];
  const { send, dead } = await hostWith(async (n) => {
    handled.push(n);
    if (n === 2) throw new Error('cannot');
  });
  await send(1, 2, 3);
  expect(JSON.parse((await dead()) ?? '{}')).toMatchObject({ data: { n: 2 } });
  expect(handled.filter((n) => n !== 2).sort()).toEqual([1, 3]);
  expect(handled.filter((n) => n === 2)).toHaveLength(5);
});

test('a malformed message goes to the dead-letter queue at once', async () => {
  const { sendText, dead } = await hostWith(async () => {});
  await sendText('{"no":"event"}');
  expect(await dead()).toBe('{"no":"event"}');
});

test('a message that fails once is handled at its second attempt', async () => {
  const attempts: number[] = [];
  const done = signal();
  const { send } = await hostWith(async (_n, attempt) => {
    attempts.push(attempt);
    if (attempt === 1) throw new Error('not yet');
    done.resolve();
  });
  await send(1);
  await done.promise;
  expect(attempts).toEqual([1, 2]);
});

test('all messages of a batch are retried if its function fails as a whole', async () => {
  const handled: number[] = [];
  const done = signal();
  let calls = 0;
  const failingFirst =
    (handler: QueueFunction): QueueFunction =>
    async (event) => {
      if (calls++ === 0) throw new Error('out of memory');
      return handler(event);
    };
  const { send, host } = await hostWith(async (n) => {
    handled.push(n);
    if (handled.length === 2) done.resolve();
  }, failingFirst);
  await send(1, 2);
  await done.promise;
  expect(handled.sort()).toEqual([1, 2]);
  expect(host.logged.join()).toContain('queue_function_failed');
});

test('a stopping host waits for the batch that it is handling', async () => {
  const [started, finish] = [signal(), signal()];
  let done = false;
  const { send, host } = await hostWith(async () => {
    started.resolve();
    await finish.promise;
    done = true;
  });
  await send(1);
  await started.promise;
  const stopped = host.stop();
  finish.resolve();
  await stopped;
  expect(done).toBe(true);
});

test('a message that a host did not handle is handled after its next start', async () => {
  const dataDir = await temporaryDataDir();
  const consumer = (handle: (n: number) => void) =>
    consumerFor<Services>()({ queue: 'test', events: [happened], handle: async (_services, { data }) => handle(data.n) });
  const failing = consumer(() => {
    throw new Error('not handled');
  });
  const body = JSON.stringify({ id: '1', event: happened.name, data: { n: 7 } });
  const functionsOf = (one: ReturnType<typeof consumer>) => ({
    queueGroups: [{ name: 'test', file: '', consumer: one, handler: queueFunction(one, app) }],
  });
  const first = await startTestHost({ dataDir, functions: functionsOf(failing), queueSettings: { visibilityTimeoutSeconds: 1 } });
  await first.app.services.outbox.queues.send('test', [{ id: '1', body }]);
  await first.stop();

  const handled = Promise.withResolvers<number>();
  host = await startTestHost({
    dataDir,
    functions: functionsOf(consumer(handled.resolve)),
    queueSettings: { visibilityTimeoutSeconds: 1 },
  });
  expect(await handled.promise).toBe(7);
  await host.stop();
  await rm(dataDir, { recursive: true });
});
