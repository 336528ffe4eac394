import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { startEmbeddedDynamoDb } from '../../infra/host/engines/embedded-dynamodb.ts';
import { type FaultyEngine, faultyEngine, throttle } from '../database/faulty-engine.ts';
import { configMap, type MadeAgent, makeAgent, makeGenerator, makeStack, ok, target } from '../fleet/fleet-builder.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';

let engine: Awaited<ReturnType<typeof startEmbeddedDynamoDb>>;
let store: FaultyEngine;
let host: TestHost;
let agent: MadeAgent;
let stack: { id: string };
beforeAll(async () => {
  engine = await startEmbeddedDynamoDb();
  store = await faultyEngine(engine.endpoint);
  host = await startTestHost({ config: { DYNAMODB_ENDPOINT: store.endpoint }, functions: { scheduleGroups: [] } });
  const generator = await makeGenerator(host);
  agent = await makeAgent(host, { generators: [generator] });
  stack = await makeStack(host, generator);
  await target(host, agent, stack);
}, 60_000);
afterAll(async () => {
  await host?.stop();
  await store?.close();
  await engine?.stop();
});
afterEach(() => {
  store.decide = () => undefined;
});

const READS = ['GetItem', 'BatchGetItem', 'Query', 'TransactGetItems'];
const throttling = (operations: readonly string[]) => {
  store.decide = (operation, input) => (operations.includes(operation) ? throttle(operation, input) : undefined);
};
const REQUESTS = {
  'a read': [READS, () => host.admin.get(`/stacks/${stack.id}`)],
  'a list': [READS, () => host.admin.get('/stacks')],
  "an agent's poll": [READS, () => agent.api.get(`/agents/${agent.id}/assignments`)],
  'a write': [
    ['PutItem', 'UpdateItem', 'TransactWriteItems'],
    () => agent.api.post(`/agents/${agent.id}/heartbeat`, { k8s_reachable: true }),
  ],
  'a transaction': [
    ['TransactWriteItems'],
    () => host.admin.post(`/stacks/${stack.id}/deployment-objects`, { yaml_content: configMap('one'), is_deletion_marker: false }),
  ],
} as const;

test.each(Object.entries(REQUESTS))(
  'the caller gets a 503 with Retry-After if the store throttles %s',
  async (_what, [operations, send]) => {
    throttling(operations);
    const { status, headers, body } = await send();
    expect({ status, code: body?.code }).toEqual({ status: 503, code: 'unavailable' });
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  },
);

test('a caller is served again after the throttling ends', async () => {
  throttling(READS);
  await host.admin.get(`/stacks/${stack.id}`);
  store.decide = () => undefined;
  expect(await ok(host.admin.get(`/stacks/${stack.id}`))).toMatchObject({ id: stack.id });
});
