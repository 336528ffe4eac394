import { createHash } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createSqsQueues, sqsClient } from '../../lib/platform/queue/sqs-queues.ts';
import { failure, type ScriptedAnswer, type ScriptedService, scriptedService } from './scripted-service.ts';
import { silent } from './test-queues.ts';

interface Entry {
  Id: string;
  MessageBody: string;
}
const md5 = (text: string) => createHash('md5').update(text).digest('hex');
const accepted = ({ Id, MessageBody }: Entry) => ({ Id, MessageId: `m-${Id}`, MD5OfMessageBody: md5(MessageBody) });
const messages = (count: number) => Array.from({ length: count }, (_, n) => ({ id: `id-${n}`, body: `body ${n}` }));

describe('sending to a queue', () => {
  let service: ScriptedService | undefined;
  afterEach(() => service?.close());

  async function queueThat(
    send: (entries: Entry[]) => ScriptedAnswer | 'no answer',
    url: () => ScriptedAnswer | undefined = () => undefined,
    timeoutMs?: number,
  ) {
    const scripted = await scriptedService((operation, input) =>
      operation === 'GetQueueUrl'
        ? (url() ?? { body: { QueueUrl: `${scripted.endpoint}/0/${input.QueueName}` } })
        : send(input.Entries as Entry[]),
    );
    service = scripted;
    return createSqsQueues(sqsClient({ endpoint: scripted.endpoint }), (queue) => `p-${queue}`, silent, timeoutMs);
  }

  test('the ids that a queue refused of a batch are returned', async () => {
    const queues = await queueThat((entries) => ({
      body: {
        Successful: entries.filter(({ Id }) => Number(Id) % 2 === 0).map(accepted),
        Failed: entries.filter(({ Id }) => Number(Id) % 2 === 1).map(({ Id }) => ({ Id, SenderFault: false, Code: 'InternalError' })),
      },
    }));
    expect(await queues.send('q', messages(5))).toEqual(['id-1', 'id-3']);
  });

  test('a batch that fails does not stop the next one', async () => {
    const queues = await queueThat((entries) =>
      entries[0]?.MessageBody === 'body 0' ? failure('UnsupportedOperation') : { body: { Successful: entries.map(accepted) } },
    );
    expect(await queues.send('q', messages(14))).toEqual(messages(10).map(({ id }) => id));
  });

  test('a queue that does not answer is asked for the first batch only', async () => {
    const queues = await queueThat(() => 'no answer', undefined, 200);
    expect(await queues.send('q', messages(100))).toHaveLength(100);
    expect(service?.calls.filter(({ operation }) => operation === 'SendMessageBatch')).toHaveLength(1);
  });

  test.each(['InvalidMessageContents', 'BatchRequestTooLong'])('a message that fails its batch with %s is refused alone', async (name) => {
    const queues = await queueThat((entries) =>
      entries.some(({ MessageBody }) => MessageBody === 'body 3') ? failure(name) : { body: { Successful: entries.map(accepted) } },
    );
    expect(await queues.send('q', messages(14))).toEqual(['id-3']);
  });

  test('messages that are too large for one batch are sent in several', async () => {
    const sizes: number[] = [];
    const queues = await queueThat((entries) => {
      sizes.push(entries.reduce((sum, { MessageBody }) => sum + MessageBody.length, 0));
      return { body: { Successful: entries.map(accepted) } };
    });
    const large = Array.from({ length: 5 }, (_, n) => ({ id: `${n}`, body: 'x'.repeat(100_000) }));
    expect(await queues.send('q', large)).toEqual([]);
    expect(sizes).toEqual([200_000, 200_000, 100_000]);
  });

  test('the address of a queue is looked up once, and again after a failed look-up', async () => {
    let there = false;
    const queues = await queueThat(
      (entries) => ({ body: { Successful: entries.map(accepted) } }),
      () => (there ? undefined : failure('QueueDoesNotExist')),
    );
    expect(await queues.send('q', messages(1))).toEqual(['id-0']);
    there = true;
    expect(await queues.send('q', messages(1))).toEqual([]);
    expect(await queues.send('q', messages(1))).toEqual([]);
    expect(service?.calls.filter(({ operation }) => operation === 'GetQueueUrl')).toHaveLength(2);
  });

  test('an empty list of messages makes no call', async () => {
    const queues = await queueThat(() => failure('EmptyBatchRequest'));
    expect(await queues.send('q', [])).toEqual([]);
    expect(service?.calls).toEqual([]);
  });
});
