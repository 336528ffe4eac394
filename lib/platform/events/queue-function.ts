import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { type BatchPorts, type Consumer, consumeBatch } from './consumer.ts';

export type QueueFunction = (event: SQSEvent, context?: unknown) => Promise<SQSBatchResponse>;

/** The function gives up unfinished messages this long before its time is over. */
const ANSWER_EARLY_MS = 500;

/**
 * A Lambda handler for one queue. It returns which messages failed, so that SQS deletes the others (ReportBatchItemFailures). When the
 * function's time is over, the unfinished messages have failed. Without an answer the whole batch would be delivered again.
 */
export function queueFunction<Services, T>(
  consumer: Consumer<Services, T>,
  host: () => Promise<BatchPorts & { services: Services }>,
): QueueFunction {
  const done = new WeakMap<SQSEvent, Set<string>>();
  const run = async (event: SQSEvent): Promise<SQSBatchResponse> => {
    const finished = new Set<string>();
    done.set(event, finished);
    const { services, ...ports } = await host();
    const deliveries = event.Records.map(({ messageId, body, attributes }) => ({
      id: messageId,
      body,
      attempt: Number(attributes.ApproximateReceiveCount),
    }));
    await consumeBatch(consumer, services, deliveries, { ...ports, onDone: ({ id }) => finished.add(id) });
    return failuresOf(event);
  };
  const failuresOf = (event: SQSEvent): SQSBatchResponse => {
    const failed = event.Records.filter(({ messageId }) => !done.get(event)?.has(messageId));
    return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };
  const handler = middy<SQSEvent, SQSBatchResponse>({ timeoutEarlyInMillis: ANSWER_EARLY_MS })
    .onError((request) => {
      const { error } = request;
      // Only a time-out leaves a part of the messages done. Every other failure happens before the first message.
      if (error instanceof Error && error.name === 'TimeoutError') request.response = failuresOf(request.event);
    })
    .handler(run as never);
  return (event, context) => handler(event, context as never) as Promise<SQSBatchResponse>;
}
