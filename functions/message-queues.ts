import type { Queues } from '../lib/platform/queue/queues.ts';
import { createSqsQueues, sqsClient } from '../lib/platform/queue/sqs-queues.ts';
import { oncePerRuntime } from './runtime.ts';
import { physicalNames } from './store.ts';

export interface MessageQueues {
  queues: Queues;
  close(): void;
}

/** This process's client of the queues, which connects at its first call. */
export const messageQueues = oncePerRuntime((runtime): MessageQueues => {
  const { config, log } = runtime;
  const client = sqsClient({
    ...(config.AWS_REGION !== undefined && { region: config.AWS_REGION }),
    ...(config.SQS_ENDPOINT !== undefined && { endpoint: config.SQS_ENDPOINT }),
  });
  return { queues: createSqsQueues(client, physicalNames(runtime), log), close: () => client.destroy() };
});
