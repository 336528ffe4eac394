/**
 * `npm run offline`: runs the functions of serverless.yml under serverless-offline on embedded engines, so that wrong wiring shows before
 * a deployment. It keeps nothing. serverless-offline has no queues, so they are polled here, and their messages passed to its functions.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { queueGroups, tables } from '../../functions/registry.ts';
import { mintPak } from '../../lib/identity/pak.ts';
import { systemClock } from '../../lib/platform/clock.ts';
import { dynamoDbClient } from '../../lib/platform/database/dynamodb-client.ts';
import { createLog } from '../../lib/platform/log.ts';
import { sqsClient } from '../../lib/platform/queue/sqs-queues.ts';
import { createQueues } from '../host/engines/create-queues.ts';
import { createTables } from '../host/engines/create-tables.ts';
import { startEngines } from '../host/engines/engines.ts';
import { tokenSecret } from '../host/engines/token-secret.ts';
import { loadHostConfig } from '../host/host-config.ts';
import { listenFailure } from '../host/http/listen-failure.ts';
import { pollQueue } from '../host/queue-poller.ts';
import { sealingKeyFile } from '../host/sealing-key-file.ts';
import { freePort, invokeFunction, startServerless } from './serverless-process.ts';

const PREFIX = 'brokkr-dev';
const ASK_AGAIN_MS = 200;

/** Serves until Ctrl-C. Rejects with the reason if it cannot start. */
async function runOffline(): Promise<void> {
  const settings = loadHostConfig([]);
  // The message of serverless-offline about a taken port is long and names no setting.
  const port = await freePort(settings.port).catch((cause: NodeJS.ErrnoException) => {
    throw listenFailure(`127.0.0.1:${settings.port}`, 'PORT', cause);
  });
  const log = createLog({ level: 'warn' });
  const engines = await startEngines(settings.config, { onDeath: (why) => void stop(1, why) });
  const endpoints = { DYNAMODB_ENDPOINT: engines.config.DYNAMODB_ENDPOINT ?? '', SQS_ENDPOINT: engines.config.SQS_ENDPOINT ?? '' };
  const physicalName = (name: string) => `${PREFIX}-${name}`;
  const sqs = sqsClient({ endpoint: endpoints.SQS_ENDPOINT });
  const dynamoDb = dynamoDbClient({ endpoint: endpoints.DYNAMODB_ENDPOINT });
  const queueUrls = await createQueues(
    sqs,
    queueGroups.map(({ consumer }) => consumer.queue),
    physicalName,
  );
  await createTables(dynamoDb, tables, physicalName);
  dynamoDb.destroy();

  const { pak, hash } = mintPak();
  const keyFolder = await mkdtemp(join(tmpdir(), 'brokkr-offline-'));
  const BROKKR_SEALING_KEY_FILE = await sealingKeyFile(keyFolder);
  const lambdaPort = await freePort();
  const env = {
    ...endpoints,
    BROKKR_SEALING_KEY_FILE,
    BROKKR_ADMIN_PAK_HASH: hash,
    BROKKR_JWT_SECRET: await tokenSecret(undefined),
  };
  const serverless = startServerless({ httpPort: port, lambdaPort, env });
  const pollers = queueGroups.map(({ name, consumer: { queue } }) =>
    pollQueue({
      client: sqs,
      queueUrl: queueUrls.get(queue) ?? '',
      queue,
      handler: (event) => invokeFunction(lambdaPort, physicalName(name), event),
      clock: systemClock,
      log,
    }),
  );

  const stopping = new AbortController();
  async function stop(code: number, why?: string): Promise<void> {
    if (stopping.signal.aborted) return;
    stopping.abort();
    if (why !== undefined) console.error(why);
    // The functions still use the engines, so they are stopped first.
    await Promise.all(pollers.map((poller) => poller.stop()));
    await serverless.stop();
    sqs.destroy();
    await engines.stop();
    await rm(keyFolder, { recursive: true, force: true });
    process.exit(code);
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(0));
  const url = `http://127.0.0.1:${port}`;
  const announce = () => console.log(`\nThe API answers on ${url} until Ctrl-C. The admin key:\n\n  ${pak}\n`);
  waitForAnswer(`${url}/healthz`, stopping.signal).then(announce, () => {});
  await once(serverless.process, 'exit');
  await stop(1, 'serverless-offline has ended');
}

async function waitForAnswer(url: string, stop: AbortSignal): Promise<void> {
  while (!(await fetch(url, { signal: stop }).catch(() => undefined))) await systemClock.sleep(ASK_AGAIN_MS, stop);
}

runOffline().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
});
