import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  QueueDoesNotExist,
  SetQueueAttributesCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { deadLetterQueue } from '../../../functions/app.ts';

/** A queue function may take this long; its messages stay invisible six times as long. */
const FUNCTION_TIMEOUT_SECONDS = 30;
export const VISIBILITY_TIMEOUT_SECONDS = 6 * FUNCTION_TIMEOUT_SECONDS;
/** After this many deliveries a message goes to the dead-letter queue. */
export const MAX_RECEIVE_COUNT = 5;
const DEAD_LETTER_RETENTION_SECONDS = 14 * 86_400;

export interface QueueSettings {
  visibilityTimeoutSeconds?: number;
}

/** Creates missing queues, each with its dead-letter queue. Resolves to the queues' URLs by name. */
export async function createQueues(
  client: SQSClient,
  queues: readonly string[],
  physicalName: (name: string) => string,
  settings: QueueSettings = {},
): Promise<Map<string, string>> {
  const urls = await Promise.all(queues.map((queue) => createPair(client, queue, physicalName, settings)));
  return new Map(queues.map((queue, index) => [queue, urls[index] ?? '']));
}

async function createPair(
  client: SQSClient,
  queue: string,
  physicalName: (name: string) => string,
  { visibilityTimeoutSeconds = VISIBILITY_TIMEOUT_SECONDS }: QueueSettings,
): Promise<string> {
  const dead = await createQueue(client, physicalName(deadLetterQueue(queue)), {
    MessageRetentionPeriod: String(DEAD_LETTER_RETENTION_SECONDS),
  });
  const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl: dead, AttributeNames: ['QueueArn'] }));
  const redrive = { deadLetterTargetArn: Attributes?.QueueArn, maxReceiveCount: MAX_RECEIVE_COUNT };
  return createQueue(client, physicalName(queue), {
    VisibilityTimeout: String(visibilityTimeoutSeconds),
    RedrivePolicy: JSON.stringify(redrive),
  });
}

/** Creates a queue, or updates the attributes of an existing one. Returns its URL. */
async function createQueue(client: SQSClient, QueueName: string, Attributes: Record<string, string>): Promise<string> {
  const existing = await client.send(new GetQueueUrlCommand({ QueueName })).catch((error: unknown) => {
    if (error instanceof QueueDoesNotExist) return undefined;
    throw error;
  });
  const { QueueUrl } = existing ?? (await client.send(new CreateQueueCommand({ QueueName, Attributes })));
  if (QueueUrl === undefined) throw new Error(`no URL for the queue ${QueueName}`);
  if (existing) await client.send(new SetQueueAttributesCommand({ QueueUrl, Attributes }));
  return QueueUrl;
}
