import { DeleteMessageBatchCommand, type Message, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { SQSEvent } from 'aws-lambda';
import { backoffMs } from '../../lib/platform/backoff.ts';
import type { Clock } from '../../lib/platform/clock.ts';
import type { QueueFunction } from '../../lib/platform/events/queue-function.ts';
import type { Log } from '../../lib/platform/log.ts';

/** Does the work of Lambda's event source mapping: receives messages, calls the function, and deletes those that did not fail. */
export interface QueuePoller {
  /** Stops receiving. Resolves when the current batch is handled. */
  stop(): Promise<void>;
}

export interface QueuePollerOptions {
  client: SQSClient;
  queueUrl: string;
  /** The queue's name, for the log. */
  queue: string;
  handler: QueueFunction;
  clock: Clock;
  log: Log;
}

const BATCH = 10;
const WAIT_SECONDS = 20;
const ERROR_BACKOFF = { baseMs: 250, capMs: 15_000 };

export function pollQueue(options: QueuePollerOptions): QueuePoller {
  const stopping = new AbortController();
  const running = poll(options, stopping.signal);
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

async function poll({ client, queueUrl, queue, handler, clock, log }: QueuePollerOptions, signal: AbortSignal): Promise<void> {
  for (let failures = 0; !signal.aborted; ) {
    try {
      const received = await client.send(
        new ReceiveMessageCommand({
          QueueUrl: queueUrl,
          MaxNumberOfMessages: BATCH,
          WaitTimeSeconds: WAIT_SECONDS,
          MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp'],
        }),
        { abortSignal: signal },
      );
      failures = 0;
      const messages = received.Messages ?? [];
      if (messages.length > 0) await handleBatch(messages, { client, queueUrl, queue, handler, log });
    } catch (error) {
      if (signal.aborted) return;
      log.warn('queue_poll_failed', { queue, failures: ++failures, error });
      await clock.sleep(backoffMs(failures, ERROR_BACKOFF), signal).catch(() => {});
    }
  }
}

type Batch = Pick<QueuePollerOptions, 'client' | 'queueUrl' | 'queue' | 'handler' | 'log'>;

/** Handles a batch. Failed messages come back when their visibility timeout ends, or go to the dead-letter queue. */
async function handleBatch(messages: readonly Message[], { client, queueUrl, queue, handler, log }: Batch): Promise<void> {
  let failed: ReadonlySet<string>;
  try {
    const { batchItemFailures } = await handler(queueEvent(messages, queue));
    failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
  } catch (error) {
    // As on Lambda, all messages of a batch have failed if the function failed as a whole.
    log.error('queue_function_failed', { queue, messages: messages.length, error });
    return;
  }
  const done = messages.filter(({ MessageId }) => !failed.has(MessageId ?? ''));
  if (done.length === 0) return;
  const Entries = done.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
  const { Failed = [] } = await client.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
  if (Failed.length > 0) log.warn('queue_delete_failed', { queue, messages: Failed.length });
}

const queueEvent = (messages: readonly Message[], queue: string): SQSEvent => ({
  Records: messages.map(({ MessageId = '', ReceiptHandle = '', Body = '', MD5OfBody = '', Attributes = {} }) => ({
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    md5OfBody: MD5OfBody,
    attributes: {
      ApproximateReceiveCount: Attributes.ApproximateReceiveCount ?? '1',
      SentTimestamp: Attributes.SentTimestamp ?? '',
      SenderId: '',
      ApproximateFirstReceiveTimestamp: '',
    },
    messageAttributes: {},
    eventSource: 'aws:sqs',
    eventSourceARN: `arn:aws:sqs:local:000000000000:${queue}`,
    awsRegion: 'local',
  })),
});
