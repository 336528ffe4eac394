/**
 * `npm run offline`: serverless-offline reads serverless.yml, so that wiring mistakes show before a deployment, on the embedded
 * engines. It keeps nothing. What serverless-offline has no part for, queues, is polled here and handed to its functions.
 */
import { once } from 'node:events';
import { queueGroups, tables } from '../../functions/registry.ts';
import { mintPak } from '../../lib/identity/pak.ts';
import { systemClock } from '../../lib/platform/clock.ts';
import { loadConfig } from '../../lib/platform/config.ts';
import { dynamoDbClient } from '../../lib/platform/database/dynamodb-client.ts';
import { createLog } from '../../lib/platform/log.ts';
import { sqsClient } from '../../lib/platform/queue/sqs-queues.ts';
import { createQueues } from '../host/create-queues.ts';
import { createTables } from '../host/create-tables.ts';
import { startEngines } from '../host/engines.ts';
import { pollQueue } from '../host/queue-poller.ts';
import { freePort, invokeFunction, startServerless } from './serverless-process.ts';

const PREFIX = 'brokkr-dev';
const { PORT = '3000', DYNAMODB_ENDPOINT, SQS_ENDPOINT } = process.env;
const log = createLog({ level: 'warn' });
const engines = await startEngines(loadConfig({ DYNAMODB_ENDPOINT, SQS_ENDPOINT }), { onDeath: (why) => void stop(1, why) });
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
const serverless = startServerless({ httpPort: PORT, lambdaPort, env: { ...endpoints, BROKKR_ADMIN_PAK_HASH: hash } });
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
console.log(`\nThe API will answer on http://127.0.0.1:${PORT}, to this admin key, until Ctrl-C:\n\n  ${pak}\n`);

let stopping = false;
async function stop(code: number, why?: string): Promise<void> {
  if (stopping) return;
  stopping = true;
  if (why !== undefined) console.error(why);
  // The functions first: they are still at work on what the engines hold.
  await Promise.all(pollers.map((poller) => poller.stop()));
  await serverless.stop();
  sqs.destroy();
  await engines.stop();
  process.exit(code);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(0));
await once(serverless.process, 'exit');
await stop(1, 'serverless-offline has ended');
