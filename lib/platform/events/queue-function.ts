import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { type BatchPorts, type Consumer, consumeBatch } from './consumer.ts';

export type QueueFunction = (event: SQSEvent, context?: unknown) => Promise<SQSBatchResponse>;

/** What is left of a function's time when it gives up the messages still in hand. */
const ANSWER_EARLY_MS = 500;

/**
 * A Lambda handler for one queue. It returns which messages failed, so that SQS deletes the others (ReportBatchItemFailures). When the
 * function's time is over, the messages still in hand have failed; without an answer the whole batch would come again.
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
      // Only a lack of time leaves a part done. Every other failure comes before the first message, and counts as one of the function.
      if (error instanceof Error && error.name === 'TimeoutError') request.response = failuresOf(request.event);
    })
    .handler(run as never);
  return (event, context) => handler(event, context as never) as Promise<SQSBatchResponse>;
}
