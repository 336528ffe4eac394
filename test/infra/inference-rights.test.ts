import { createRequire } from 'node:module';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { finishCalls } from '../../functions/ai/gateway-services.ts';
import { outgoing } from '../../functions/outgoing.ts';
import { fallbackGroup, httpGroups, queueGroups, tables } from '../../functions/registry.ts';
import { createRuntime, type Runtime, setRuntime } from '../../functions/runtime.ts';
import { store } from '../../functions/store.ts';
import { createQueues } from '../../infra/host/engines/create-queues.ts';
import { createTables } from '../../infra/host/engines/create-tables.ts';
import { startEmbeddedDynamoDb } from '../../infra/host/engines/embedded-dynamodb.ts';
import { startEmbeddedSqs } from '../../infra/host/engines/embedded-sqs.ts';
import { loadConfig } from '../../lib/platform/config.ts';
import { dynamoDbClient } from '../../lib/platform/database/dynamodb-client.ts';
import { createLog } from '../../lib/platform/log.ts';
import { sqsClient } from '../../lib/platform/queue/sqs-queues.ts';
import { data, makeAccount } from '../identity/account-builder.ts';
import { apiOver, createGateway } from './gateway.ts';
import { type GuardedEngines, guardEngines } from './guarded-engines.ts';
import { sqsEvent } from './sqs-event.ts';

const PREFIX = 'brokkr-dev';
const QUEUE = 'call-records';
const { logicalName } = createRequire(import.meta.url)('../../infra/resources/names.cjs');
const log = createLog({ level: 'error', write: () => {} });

/** Inference as AWS runs it: each function with its own composition and its own role. */
let guard: GuardedEngines;
let sqs: ReturnType<typeof sqsClient>;
let queueUrl: string;
const runtimes = new Map<string, Runtime>();
const undo: (() => unknown)[] = [];

beforeAll(async () => {
  const [dynamodb, queues] = await Promise.all([startEmbeddedDynamoDb(), startEmbeddedSqs()]);
  const raw = dynamoDbClient({ endpoint: dynamodb.endpoint });
  sqs = sqsClient({ endpoint: queues.endpoint });
  undo.push(
    dynamodb.stop,
    queues.stop,
    () => raw.destroy(),
    () => sqs.destroy(),
  );
  await createTables(raw, tables, (name) => `${PREFIX}-${name}`);
  queueUrl = (await createQueues(sqs, [QUEUE], (name) => `${PREFIX}-${name}`)).get(QUEUE) ?? '';
  const functions = [...httpGroups, ...queueGroups].map(({ name }) => name);
  guard = await guardEngines({ engines: { dynamodb: dynamodb.endpoint, sqs: queues.endpoint }, functions, logicalName, prefix: PREFIX });
  undo.push(guard.close);
}, 60_000);
afterAll(async () => {
  for (const runtime of runtimes.values()) {
    await finishCalls(runtime, AbortSignal.timeout(5_000));
    await outgoing(runtime).close();
    store(runtime).close();
  }
  for (const step of undo.toReversed()) await step();
});

// Functions find their composition in a variable of a module, so only one call runs at a time.
function run<T>(name: string, act: () => Promise<T>): Promise<T> {
  const config = { BROKKR_PREFIX: PREFIX, BROKKR_JWT_SECRET: 'a secret of at least 32 characters', ...guard.addressesOf(name) };
  const runtime = runtimes.get(name) ?? createRuntime(loadConfig(config), { log });
  runtimes.set(name, runtime);
  setRuntime(runtime);
  return act();
}
const gateway = createGateway(httpGroups, fallbackGroup);
const answer = (...request: Parameters<typeof gateway>) => {
  const { group, event } = gateway(...request);
  return run(group.name, () => group.handler(event));
};

test('calls of a new user’s key are answered, recorded and shown with the rights of their functions', async () => {
  const account = await makeAccount({ anonymous: apiOver(answer) });
  const { key } = data(await account.api.post('/api-keys', { name: 'first' }));
  const caller = apiOver(answer, `Bearer ${key}`, '');
  const ask = { model: 'simulated/echo', messages: [{ role: 'user', content: 'Hello' }] };
  expect((await caller.post('/v1/chat/completions', ask)).status).toBe(200);
  expect((await caller.post('/v1/chat/completions', { ...ask, stream: true })).text).toContain('[DONE]');
  expect((await caller.post('/v1/embeddings', { model: 'simulated/embeddings', input: 'Hello' })).status).toBe(200);
  expect((await caller.get('/v1/models')).status).toBe(200);

  // Each call has sent its record before it was answered: the function may be frozen afterwards.
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }));
  expect(Messages).toHaveLength(3);
  const messages = Messages.map(({ MessageId = '', Body = '' }) => ({ id: MessageId, body: Body }));
  const consumer = queueGroups.find(({ name }) => name === QUEUE);
  expect(await run(QUEUE, async () => consumer?.handler(sqsEvent(...messages)))).toEqual({ batchItemFailures: [] });
  expect((await account.api.get('/analytics/requests')).body.data).toMatchObject([
    { outcome: 'success' },
    { outcome: 'success' },
    { outcome: 'success' },
  ]);
  expect([...guard.refused]).toEqual([]);
}, 60_000);
