import { GetQueueUrlCommand, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Log } from '../log.ts';
import { unsignedAccess } from '../unsigned-access.ts';
import type { Message, Queues } from './queues.ts';

export interface SqsOptions {
  endpoint?: string;
  region?: string;
}

/** SQS's limit for one message, and for all messages of a batch together. */
const BATCH_BYTES = 262_144;
const BATCH_MESSAGES = 10;
const SEND_TIMEOUT_MS = 5_000;

export function sqsClient({ endpoint, region }: SqsOptions): SQSClient {
  return new SQSClient({
    ...(region !== undefined && { region }),
    // The messages don't leave the machine, so that they need no digest.
    ...(endpoint !== undefined && { endpoint, ...unsignedAccess('sqs', region), md5: false }),
    // A queue's URL may name a host that only its engine knows, so every call goes to the configured endpoint.
    useQueueUrlAsEndpoint: false,
    maxAttempts: 4,
    requestHandler: { connectionTimeout: 2_000, requestTimeout: 30_000 },
  });
}

/** `physicalName` turns a queue's name in the code into its name in the account. */
export function createSqsQueues(client: SQSClient, physicalName: (queue: string) => string, log: Log, timeoutMs = SEND_TIMEOUT_MS): Queues {
  const urls = new Map<string, Promise<string>>();
  const urlOf = (queue: string): Promise<string> => {
    const known = urls.get(queue);
    if (known) return known;
    const url = client
      .send(new GetQueueUrlCommand({ QueueName: physicalName(queue) }), { abortSignal: AbortSignal.timeout(timeoutMs) })
      .then(({ QueueUrl }) => {
        if (!QueueUrl) throw new Error(`no URL for the queue ${queue}`);
        return QueueUrl;
      });
    url.catch(() => urls.delete(queue));
    urls.set(queue, url);
    return url;
  };

  /** Returns the ids that the queue refused. Throws if the call failed as a whole. */
  async function sendBatch(queue: string, batch: readonly Message[], abortSignal: AbortSignal): Promise<string[]> {
    const QueueUrl = await urlOf(queue);
    const Entries = batch.map(({ body, delaySeconds }, index) => ({
      Id: String(index),
      MessageBody: body,
      ...(delaySeconds !== undefined && { DelaySeconds: delaySeconds }),
    }));
    const { Failed = [] } = await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }), { abortSignal });
    return Failed.map(({ Id }) => batch[Number(Id)]?.id ?? '');
  }

  /** SQS refuses a whole batch for one bad message, so that its messages are then sent one by one. */
  async function send(queue: string, batch: readonly Message[], signal: AbortSignal): Promise<string[]> {
    try {
      return await sendBatch(queue, batch, signal);
    } catch (error) {
      if (batch.length > 1 && isAboutContent(error)) return (await Promise.all(batch.map((one) => send(queue, [one], signal)))).flat();
      log.warn('queue_send_failed', { queue, messages: batch.length, error });
      return batch.map(({ id }) => id);
    }
  }

  return {
    async send(queue, messages) {
      const refused: string[] = [];
      // All batches share the time. A queue that doesn't answer may cost a sweep seconds, but not the time for the other queues.
      const signal = AbortSignal.timeout(timeoutMs);
      for (const batch of batchesOf(messages))
        refused.push(...(signal.aborted ? batch.map(({ id }) => id) : await send(queue, batch, signal)));
      return refused;
    },
  };
}

const isAboutContent = (error: unknown) =>
  error instanceof Error && (error.name === 'InvalidMessageContents' || error.name === 'BatchRequestTooLong');

function batchesOf(messages: readonly Message[]): Message[][] {
  const batches: Message[][] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = Buffer.byteLength(message.body);
    const current = batches.at(-1);
    if (current && current.length < BATCH_MESSAGES && bytes + size <= BATCH_BYTES) {
      current.push(message);
      bytes += size;
    } else {
      batches.push([message]);
      bytes = size;
    }
  }
  return batches;
}
