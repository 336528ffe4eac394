/**
 * `npm run offline`: serverless-offline reads serverless.yml, so that wiring mistakes show before a deployment, on the embedded
 * engines. It keeps nothing. What serverless-offline has no part for, queues, is polled here and handed to its functions.
 */
import { once } from 'node:events';
import { queueGroups, tables } from '../../functions/registry.ts';
import { mintPak } from '../../lib/identity/pak.ts';
import { systemClock } from '../../lib/platform/clock.ts';
import { dynamoDbClient } from '../../lib/platform/database/dynamodb-client.ts';
import { createLog } from '../../lib/platform/log.ts';
import { sqsClient } from '../../lib/platform/queue/sqs-queues.ts';
import { createQueues } from '../host/create-queues.ts';
import { createTables } from '../host/create-tables.ts';
import { startEngines } from '../host/engines.ts';
import { loadHostConfig } from '../host/host-config.ts';
import { pollQueue } from '../host/queue-poller.ts';
import { freePort, invokeFunction, startServerless } from './serverless-process.ts';

const PREFIX = 'brokkr-dev';
const ASK_AGAIN_MS = 200;

/** Serves until Ctrl-C, or rejects with what keeps it from starting. */
async function runOffline(): Promise<void> {
  const settings = loadHostConfig([]);
  // What serverless-offline says of a taken port is long and names no setting.
  const port = await freePort(settings.port).catch((error: Error) => {
    throw new Error(`cannot listen on port ${settings.port}, which PORT chooses: ${error.message}`);
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
  const lambdaPort = await freePort();
  const serverless = startServerless({ httpPort: port, lambdaPort, env: { ...endpoints, BROKKR_ADMIN_PAK_HASH: hash } });
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
    // The functions first: they are still at work on what the engines hold.
    await Promise.all(pollers.map((poller) => poller.stop()));
    await serverless.stop();
    sqs.destroy();
    await engines.stop();
    process.exit(code);
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(0));
  const url = `http://127.0.0.1:${port}`;
  const announce = () => console.log(`\nThe API answers on ${url}, to this admin key, until Ctrl-C:\n\n  ${pak}\n`);
  untilItAnswers(`${url}/healthz`, stopping.signal).then(announce, () => {});
  await once(serverless.process, 'exit');
  await stop(1, 'serverless-offline has ended');
}

async function untilItAnswers(url: string, stop: AbortSignal): Promise<void> {
  while (!(await fetch(url, { signal: stop }).catch(() => undefined))) await systemClock.sleep(ASK_AGAIN_MS, stop);
}

runOffline().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
});
