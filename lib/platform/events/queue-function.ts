import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { type BatchPorts, type Consumer, consumeBatch } from './consumer.ts';

export type QueueFunction = (event: SQSEvent, context?: unknown) => Promise<SQSBatchResponse>;

/** A Lambda handler for one queue. It returns which messages failed, so that SQS deletes the others (ReportBatchItemFailures). */
export function queueFunction<Services, T>(
  consumer: Consumer<Services, T>,
  host: () => Promise<BatchPorts & { services: Services }>,
): QueueFunction {
  const run = async (event: SQSEvent): Promise<SQSBatchResponse> => {
    const { services, ...ports } = await host();
    const deliveries = event.Records.map(({ messageId, body, attributes }) => ({
      id: messageId,
      body,
      attempt: Number(attributes.ApproximateReceiveCount),
    }));
    const failed = await consumeBatch(consumer, services, deliveries, ports);
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  };
  const handler = middy<SQSEvent, SQSBatchResponse>().handler(run as never);
  return (event, context) => handler(event, context as never) as Promise<SQSBatchResponse>;
}
