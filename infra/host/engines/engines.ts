import { join } from 'node:path';
import type { Config } from '../../../lib/platform/config.ts';
import { openDataFolder, QUEUE_FOLDER, STORE_FILE } from './data-folder.ts';
import { startEmbeddedDynamoDb } from './embedded-dynamodb.ts';
import { startEmbeddedSqs } from './embedded-sqs.ts';

/** The store and the queues of a host. They are embedded unless the configuration names others. */
export interface Engines {
  /** The configuration with every engine's endpoint in it. */
  config: Config;
  /** The id of the embedded store's process; undefined if the store is another one. */
  dynamoDbPid: number | undefined;
  stop(): Promise<void>;
}

export type EngineName = 'dynamodb' | 'sqs';

export interface EngineOptions {
  /** The engines that the AWS SDK finds by its own environment (AWS_ENDPOINT_URL and similar), with its own credentials. */
  configuredBySdk?: readonly EngineName[] | undefined;
  /** The folder of the data, which is created if it is missing; nothing is kept if absent. */
  dataDir?: string | undefined;
  onDeath?: (why: string) => void;
}

const VARIABLE = { dynamodb: 'DYNAMODB_ENDPOINT', sqs: 'SQS_ENDPOINT' } as const;

export const isEmbedded = (engine: EngineName, config: Config, configuredBySdk: readonly EngineName[] = []): boolean =>
  !config[VARIABLE[engine]] && !configuredBySdk.includes(engine);

/** Turns an engine's failure into one that names the setting of the engine. `config` is the host's configuration. */
export const engineFailure =
  (engine: EngineName, config: Config, configuredBySdk: readonly EngineName[] = []) =>
  (cause: unknown): never => {
    const variable = VARIABLE[engine];
    const bySdk = `the engine of AWS_ENDPOINT_URL_${engine.toUpperCase()} or AWS_ENDPOINT_URL`;
    const ours = configuredBySdk.includes(engine) ? bySdk : `the embedded ${engine}`;
    const which = config[variable] ? `the engine of ${variable} (${config[variable]})` : ours;
    throw new Error(`${which} cannot be used: ${reasonOf(cause)}`, { cause });
  };

/** If a name has several addresses, the error for all of them has no message, but a code. */
const reasonOf = (error: unknown): string =>
  error instanceof Error ? error.message || ('code' in error ? String(error.code) : error.name) : String(error);

/** The path of the embedded store's file. */
export const storeFile = (dataDir: string): string => join(dataDir, STORE_FILE);

export async function startEngines(config: Config, { dataDir, onDeath, configuredBySdk = [] }: EngineOptions = {}): Promise<Engines> {
  const folder = dataDir === undefined ? undefined : await openDataFolder(dataDir);
  const [file, queues] = dataDir === undefined ? [] : [storeFile(dataDir), join(dataDir, QUEUE_FOLDER)];
  const [dynamoDb, sqs] = await Promise.allSettled([
    isEmbedded('dynamodb', config, configuredBySdk)
      ? startEmbeddedDynamoDb({ ...(file && { file }), ...(onDeath && { onDeath }) })
      : undefined,
    isEmbedded('sqs', config, configuredBySdk) ? startEmbeddedSqs({ ...(queues && { dataDir: queues }) }) : undefined,
  ]);
  const started = [dynamoDb, sqs].flatMap((engine) => (engine.status === 'fulfilled' && engine.value ? [engine.value] : []));
  const stop = async () => {
    await Promise.allSettled(started.map((engine) => engine.stop()));
    folder?.release();
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
