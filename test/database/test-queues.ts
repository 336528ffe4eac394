import { randomUUID } from 'node:crypto';
import { DeleteQueueCommand, ListQueuesCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { deadLetterQueue } from '../../functions/app.ts';
import { createQueues, type QueueSettings } from '../../infra/host/engines/create-queues.ts';
import { startEmbeddedSqs } from '../../infra/host/engines/embedded-sqs.ts';
import { createLog } from '../../lib/platform/log.ts';
import type { Queues } from '../../lib/platform/queue/queues.ts';
import { createSqsQueues, sqsClient } from '../../lib/platform/queue/sqs-queues.ts';

/** Real queues with their dead-letter queues, under a prefix of their own, on SQS_ENDPOINT or else on the embedded engine. */
export interface TestQueues {
  client: SQSClient;
  queues: Queues;
  urlOf(queue: string): string;
  /** The bodies of all messages that reached the dead-letter queue so far. */
  dead(queue: string): Promise<string[]>;
  /** Takes all messages that are in the queue now, and returns their bodies. */
  take(queue: string): Promise<string[]>;
  close(): Promise<void>;
}

export const silent = createLog({ write: () => {} });

export async function openTestQueues(names: readonly string[], settings: QueueSettings = {}): Promise<TestQueues> {
  const given = process.env.SQS_ENDPOINT;
  const engine = given ? { endpoint: given, stop: async () => {} } : await startEmbeddedSqs();
  const client = sqsClient({ endpoint: engine.endpoint });
  const prefix = `test-${randomUUID()}`;
  const physicalName = (name: string) => `${prefix}-${name}`;
  const urls = await createQueues(client, names, physicalName, settings);
  const urlOf = (queue: string) => urls.get(queue) ?? deadLetterQueue(urls.get(queue.replace(/-dead$/, '')) ?? '');
  const take = async (queue: string) => {
    const bodies: string[] = [];
    for (;;) {
      const { Messages = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl: urlOf(queue), MaxNumberOfMessages: 10 }));
      if (Messages.length === 0) return bodies;
      bodies.push(...Messages.map(({ Body = '' }) => Body));
    }
  };
  const dead = new Map<string, string[]>();
  return {
    client,
    queues: createSqsQueues(client, physicalName, silent),
    urlOf,
    take,
    async dead(queue) {
      const bodies = [...(dead.get(queue) ?? []), ...(await take(deadLetterQueue(queue)))];
      dead.set(queue, bodies);
      return bodies;
    },
    async close() {
      const { QueueUrls = [] } = await client.send(new ListQueuesCommand({ QueueNamePrefix: prefix }));
      await Promise.all(QueueUrls.map((QueueUrl) => client.send(new DeleteQueueCommand({ QueueUrl }))));
      client.destroy();
      await engine.stop();
    },
  };
}

/** Repeats a check until it passes. Fails with the last error after `withinMs`. */
export async function eventually(look: () => void | Promise<void>, withinMs = 15_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
