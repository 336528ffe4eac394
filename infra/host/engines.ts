import { join } from 'node:path';
import type { Config } from '../../lib/platform/config.ts';
import { lockDataDir } from './data-lock.ts';
import { startEmbeddedDynamoDb } from './embedded-dynamodb.ts';
import { startEmbeddedSqs } from './embedded-sqs.ts';

/** The store and the queues of a host: embedded ones, where the configuration names no others. */
export interface Engines {
  /** The configuration with every engine's endpoint in it. */
  config: Config;
  /** The embedded store's process; undefined where the store is another. */
  dynamoDbPid: number | undefined;
  stop(): Promise<void>;
}

export type EngineName = 'dynamodb' | 'sqs';

export interface EngineOptions {
  /** Those which the AWS SDK's own environment leads to (AWS_ENDPOINT_URL and its kin): found, and signed for, by the SDK alone. */
  configuredBySdk?: readonly EngineName[] | undefined;
  /** An existing folder; nothing is kept where absent. */
  dataDir?: string | undefined;
  onDeath?: (why: string) => void;
}

export async function startEngines(config: Config, { dataDir, onDeath, configuredBySdk = [] }: EngineOptions = {}): Promise<Engines> {
  const lock = dataDir === undefined ? undefined : lockDataDir(dataDir);
  const within = (name: string) => dataDir && join(dataDir, name);
  const [file, queues] = [within('dynamodb.sqlite'), within('queues')];
  const [dynamoDb, sqs] = await Promise.allSettled([
    config.DYNAMODB_ENDPOINT || configuredBySdk.includes('dynamodb')
      ? undefined
      : startEmbeddedDynamoDb({ ...(file && { file }), ...(onDeath && { onDeath }) }),
    config.SQS_ENDPOINT || configuredBySdk.includes('sqs') ? undefined : startEmbeddedSqs({ ...(queues && { dataDir: queues }) }),
  ]);
  const started = [dynamoDb, sqs].flatMap((engine) => (engine.status === 'fulfilled' && engine.value ? [engine.value] : []));
  const stop = async () => {
    await Promise.allSettled(started.map((engine) => engine.stop()));
    lock?.release();
  };
  if (dynamoDb.status === 'fulfilled' && sqs.status === 'fulfilled') {
    return {
      config: {
        ...config,
        DYNAMODB_ENDPOINT: config.DYNAMODB_ENDPOINT ?? dynamoDb.value?.endpoint,
        SQS_ENDPOINT: config.SQS_ENDPOINT ?? sqs.value?.endpoint,
      },
      dynamoDbPid: dynamoDb.value?.pid,
      stop,
    };
  }
  await stop();
  throw dynamoDb.status === 'rejected' ? dynamoDb.reason : sqs.status === 'rejected' ? sqs.reason : new Error('unreachable');
}
