import { GetQueueUrlCommand, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Log } from '../log.ts';
import type { Queues } from './queues.ts';

export interface SqsOptions {
  endpoint?: string;
  region?: string;
}

export function sqsClient({ endpoint, region }: SqsOptions): SQSClient {
  return new SQSClient({
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && {
      endpoint,
      region: region ?? 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    }),
    // A queue's URL may name a host that only its engine knows: the configured endpoint is the way to every queue.
    useQueueUrlAsEndpoint: false,
    maxAttempts: 4,
    requestHandler: { connectionTimeout: 2_000, requestTimeout: 30_000 },
  });
}

/** `physicalName` turns a queue's name in the code into its name in the account. */
export function createSqsQueues(client: SQSClient, physicalName: (queue: string) => string, log: Log): Queues {
  const urls = new Map<string, Promise<string>>();
  const urlOf = (queue: string): Promise<string> => {
    const known = urls.get(queue);
    if (known) return known;
    const url = client.send(new GetQueueUrlCommand({ QueueName: physicalName(queue) })).then(({ QueueUrl }) => {
      if (!QueueUrl) throw new Error(`no URL for the queue ${queue}`);
      return QueueUrl;
    });
    url.catch(() => urls.delete(queue));
    urls.set(queue, url);
    return url;
  };

  return {
    async send(queue, messages) {
      const refused: string[] = [];
      for (let at = 0; at < messages.length; at += 10) {
        const batch = messages.slice(at, at + 10);
        try {
          const QueueUrl = await urlOf(queue);
          const Entries = batch.map(({ body }, index) => ({ Id: String(index), MessageBody: body }));
          const { Failed = [] } = await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
          for (const failure of Failed) refused.push(batch[Number(failure.Id)]?.id ?? '');
        } catch (error) {
          log.warn('queue_send_failed', { queue, messages: batch.length, error });
          refused.push(...batch.map(({ id }) => id));
        }
      }
      return refused;
    },
  };
}
