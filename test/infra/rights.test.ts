import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { BatchWriteCommand, DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fallbackGroup, httpGroups, queueGroups, scheduleGroups, tables } from '../../functions/registry.ts';
import { createRuntime, type Runtime, setRuntime } from '../../functions/runtime.ts';
import { store } from '../../functions/store.ts';
import { createQueues } from '../../infra/host/engines/create-queues.ts';
import { createTables } from '../../infra/host/engines/create-tables.ts';
import { startEmbeddedDynamoDb } from '../../infra/host/engines/embedded-dynamodb.ts';
import { startEmbeddedSqs } from '../../infra/host/engines/embedded-sqs.ts';
import { pollQueue } from '../../infra/host/queue-poller.ts';
import { mintPak } from '../../lib/identity/pak.ts';
import { systemClock } from '../../lib/platform/clock.ts';
import { loadConfig } from '../../lib/platform/config.ts';
import { dynamoDbClient } from '../../lib/platform/database/dynamodb-client.ts';
import { workTable } from '../../lib/platform/events/work-table.ts';
import { createLog } from '../../lib/platform/log.ts';
import { sqsClient } from '../../lib/platform/queue/sqs-queues.ts';
import { call, endpoints, guarded, pathOf, rowsOf } from '../contract/endpoint-calls.ts';
import { eventually } from '../database/test-queues.ts';
import {
  type BuilderHost,
  configMap,
  makeAgent,
  makeStack,
  makeTenant,
  ok,
  orderFor,
  report,
  submit,
  type Tenant,
  target,
  templateOf,
} from '../fleet/fleet-builder.ts';
import { apiOver, createGateway } from './gateway.ts';
import { type GuardedEngines, guardEngines } from './guarded-engines.ts';
import { sqsEvent } from './sqs-event.ts';

const PREFIX = 'brokkr-dev';
const { logicalName } = createRequire(import.meta.url)('../../infra/resources/names.cjs');
const { pak: adminPak, hash: adminHash } = mintPak();
const log = createLog({ level: 'error', write: () => {} });

/**
 * The product as AWS runs it: each function has its own composition and its own role, and gets paths as API Gateway delivers them. A
 * call without a right is refused, as AWS would refuse it.
 */
describe('functions under their roles', () => {
  let guard: GuardedEngines;
  let queueUrls: ReadonlyMap<string, string>;
  let dynamodbClient: ReturnType<typeof dynamoDbClient>;
  const sqs = { client: undefined as ReturnType<typeof sqsClient> | undefined };
  const runtimes = new Map<string, Runtime>();
  const undo: (() => unknown)[] = [];
  const physicalName = (name: string) => `${PREFIX}-${name}`;
  // account-rights.test.ts runs the functions of other surfaces.
  const groups = httpGroups.filter(({ endpoints }) => endpoints.every(({ surface }) => ['fleet', 'system'].includes(surface.name)));
  const consumers = queueGroups.filter(({ name }) => ['agent-fanout', 'clean-up', 'work-order-dispatch'].includes(name));
  const names = [...groups, ...consumers, ...scheduleGroups].map(({ name }) => name);

  beforeAll(async () => {
    const [dynamodb, queues] = await Promise.all([startEmbeddedDynamoDb(), startEmbeddedSqs()]);
    undo.push(dynamodb.stop, queues.stop);
    const client = dynamoDbClient({ endpoint: dynamodb.endpoint });
    dynamodbClient = client;
    sqs.client = sqsClient({ endpoint: queues.endpoint });
    await createTables(client, tables, physicalName);
    queueUrls = await createQueues(
      sqs.client,
      queueGroups.map(({ consumer }) => consumer.queue),
      physicalName,
    );
    guard = await guardEngines({
      engines: { dynamodb: dynamodb.endpoint, sqs: queues.endpoint },
      functions: names,
      logicalName,
      prefix: PREFIX,
    });
    undo.push(
      guard.close,
      () => client.destroy(),
      () => sqs.client?.destroy(),
    );
    // The sweep runs within a minute of the deployment and sets up the empty store.
    await run('outbox-sweep', () => scheduleGroups[0]?.handler());
  }, 60_000);
  afterAll(async () => {
    for (const runtime of runtimes.values()) store(runtime).close();
    for (const step of undo.toReversed()) await step();
  });

  // Functions find their composition in a variable of a module, so only one call runs at a time.
  let last: Promise<unknown> = Promise.resolve();
  function run<T>(name: string, act: () => Promise<T> | undefined): Promise<T | undefined> {
    const next = last.then(async () => {
      const runtime = runtimes.get(name) ?? createRuntime(configOf(name), { log });
      runtimes.set(name, runtime);
      setRuntime(runtime);
      return act();
    });
    last = next.catch(() => {});
    return next;
  }
  const configOf = (name: string) => loadConfig({ BROKKR_PREFIX: PREFIX, BROKKR_ADMIN_PAK_HASH: adminHash, ...guard.addressesOf(name) });

  const gateway = createGateway(groups, fallbackGroup);
  const answer = async (...request: Parameters<typeof gateway>) => {
    const { group, event } = gateway(...request);
    const result = await run(group.name, () => group.handler(event));
    return result ?? { statusCode: 0 };
  };
  const host: BuilderHost = { admin: apiOver(answer, adminPak), anonymous: apiOver(answer) };
  const root = apiOver(answer, adminPak, '');
  const fleet = { tenant: undefined as Tenant | undefined };
  const sharedTenant = async () => (fleet.tenant ??= await makeTenant(host));

  test.each(rowsOf(guarded))('$title works with the rights of its function', async ({ one: entry }) => {
    const destructive = /^(PUT|DELETE)$/.test(entry.endpoint.method) || entry.endpoint.path.endsWith('/rotate-pak');
    const tenant = destructive ? await makeTenant(host) : await sharedTenant();
    const { status, text } = await call(entry, root, tenant);
    expect({ status, text }).toEqual({ status: entry.expectation.statuses[0], text });
  });

  const open = endpoints.filter(({ access }) => access === 'public').map((endpoint) => [endpoint.path, endpoint] as const);
  test.each(open)('%s answers without a key, with the rights of its function', async (_path, endpoint) => {
    const path = pathOf(endpoint, await sharedTenant(), { file: 'swagger-ui.css', folder: 'assets' });
    const { status } = await root.as(undefined).send(endpoint.method, path);
    // The reference may still be in the build.
    expect([200, 302, 404, 503]).toContain(status);
  });

  test('every function refuses an unknown key and audits that', async () => {
    const tenant = await sharedTenant();
    const paths = groups.flatMap(({ endpoints: [first] }) =>
      first && first.access !== 'public' ? [{ endpoint: first, path: pathOf(first, tenant) }] : [],
    );
    for (const { endpoint, path } of paths) {
      const refusal = await root.as('brokkr_BRabcdef_1111111111111111111111111111111111').send(endpoint.method, path);
      expect(refusal).toMatchObject({ status: 401, text: '' });
    }
    const { body } = await host.admin.get('/admin/audit-logs?action=auth.failed');
    expect(body.count).toBeGreaterThanOrEqual(paths.length - 1);
  });

  test('an annotation with a slash in its key can be removed', async () => {
    const { stack } = await makeTenant(host);
    await ok(host.admin.post(`/stacks/${stack.id}/annotations`, { stack_id: stack.id, key: 'example.com/team', value: 'v' }));
    const removed = await host.admin.delete(`/stacks/${stack.id}/annotations/${encodeURIComponent('example.com/team')}`);
    expect(removed.status).toBe(204);
  });

  test('an agent can poll, report and send heartbeats with the rights of the functions', async () => {
    const { agent, object, stack } = await makeTenant(host);
    await ok(agent.api.post('/auth/pak'));
    await ok(agent.api.post(`/agents/${agent.id}/heartbeat`, { k8s_reachable: true }));
    const reported = { event_type: 'DEPLOY', status: 'SUCCESS' };
    for (let times = 0; times < 2; times++) {
      await ok(report(agent, object.id, reported));
      await ok(root.as(agent.pak).post('/v1/events', { deployment_id: stack.id, ...reported }));
    }
    expect((await agent.api.get('/admin/audit-logs')).status).toBe(403);
    await ok(host.admin.delete(`/stacks/${stack.id}`));
    expect((await agent.assignments()).get(stack.id)).toMatchObject({ state: 'withdrawn' });
    await ok(report(agent, object.id, { event_type: 'REMOVE' }));
    expect((await agent.assignments()).has(stack.id)).toBe(false);
  });

  test('every function that changes many agents’ assignments may send to the queue, and its consumer may notify them', async () => {
    const [{ generator }, doomed] = [await sharedTenant(), await makeTenant(host)];
    const generators = [generator, doomed.generator];
    const crowd = await Promise.all(
      Array.from({ length: 52 }, () => makeAgent(host, { generators, status: 'INACTIVE', labels: ['crowd'] })),
    );
    const [stack, gone] = [
      await makeStack(host, generator, { labels: ['crowd'] }),
      await makeStack(host, generator, { labels: ['crowd'] }),
    ];
    await submit(host, stack.id, configMap('one'));
    const template = await ok(host.admin.post('/templates', templateOf('of-the-crowd')));
    const parameters = { name: 'from-template' };
    await ok(host.admin.post(`/stacks/${stack.id}/deployment-objects/from-template`, { template_id: template.id, parameters }));
    await ok(host.admin.delete(`/stacks/${gone.id}`));
    await ok(root.put(`/v1/deployments/${stack.id}`, { yaml_content: configMap('two') }));
    for (const agent of crowd) await target(host, agent, doomed.stack);
    await Promise.all(Array.from({ length: 51 }, () => makeStack(host, doomed.generator)));
    const order = { ...orderFor(doomed.agent), work_type: 'doomed' };
    await Promise.all(Array.from({ length: 21 }, () => ok(doomed.generator.api.post('/work-orders', order))));
    await ok(doomed.generator.api.post('/work-orders', { ...order, fan_out: 'all' }));
    const small = await makeTenant(host);
    await ok(small.generator.api.post('/work-orders', { ...orderFor(small.agent), fan_out: 'all' }));
    await ok(host.admin.delete(`/generators/${small.generator.id}`));
    await ok(host.admin.delete(`/generators/${doomed.generator.id}`));
    // More than one message of either consumer takes.
    const [busy] = crowd;
    if (!busy) throw new Error('no crowd');
    await seed(Array.from({ length: 2_001 }, (_, n) => ({ pk: `AGENTMATCH#${generator.id}#LABEL#crowd`, sk: `ghost-${n}` })));
    await seed(Array.from({ length: 1_001 }, (_, n) => ({ pk: `AGENT#${busy.id}`, sk: `TOLD#ghost-${n}` })));
    await ok(host.admin.delete(`/agents/${busy.id}`));
    await submit(host, stack.id, configMap('three'));
    const before = await crowd[1]?.revision();
    const pollers = consumers.map((group) => pollGroup(group));
    await eventually(async () => {
      expect(await crowd[1]?.revision()).not.toBe(before);
      expect((await host.admin.get(`/stacks/${doomed.stack.id}`)).status).toBe(404);
      expect(await itemsOf(`AGENT#${busy.id}`)).toBe(0);
      expect((await host.admin.get('/work-orders?work_type=doomed')).body).toEqual([]);
    }, 60_000);
    await Promise.all(pollers.map((poller) => poller.stop()));
  }, 120_000);

  test('an order reaches its agents with the rights of the dispatcher', async () => {
    const agents = await Promise.all(Array.from({ length: 4 }, () => makeAgent(host, { labels: ['orders'] })));
    const targeting = { labels: ['orders'] };
    const order = await ok(host.admin.post('/work-orders', { work_type: 'custom', yaml_content: configMap('one'), targeting }));
    const dispatcher = consumers.find(({ name }) => name === 'work-order-dispatch');
    const systemGenerator = (await ok(host.admin.get(`/agents/${agents[0]?.id}/registrations`)))[0].generator_id;
    const claimable = { order_id: order.id, attempt: 0, status: 'PENDING' };
    const deliver = async (event: string, data: object) => {
      const body = JSON.stringify({ id: randomUUID(), event, data });
      const done = await run('work-order-dispatch', async () => dispatcher?.handler(sqsEvent({ id: 'm', body })));
      expect(done).toEqual({ batchItemFailures: [] });
    };
    for (const step of ['offer', 'widen']) await deliver('work-order.claimable', { ...claimable, step });
    await deliver('work-order.agents-woken', { generator_id: systemGenerator, target: { label: 'orders' }, segment: 1 });
    for (const agent of agents) {
      const { headers } = await agent.api.get(`/agents/${agent.id}/assignments`);
      expect(headers['x-brokkr-work-orders']).toEqual(expect.any(String));
    }
    const all = { work_type: 'custom', yaml_content: configMap('one'), targeting, fan_out: 'all' };
    const [kept, cancelled] = [await ok(host.admin.post('/work-orders', all)), await ok(host.admin.post('/work-orders', all))];
    await ok(host.admin.delete(`/work-orders/${cancelled.id}`));
    await deliver('work-order.fan-out-cancelled', { order_id: cancelled.id, segment: 1 });
    for (const target of [0, 1]) await deliver('work-order.fan-out', { order_id: kept.id, target, segment: 1 });
    const children = await ok(host.admin.get(`/work-orders/${kept.id}/children`));
    expect(children).toHaveLength(4);
    for (const { id } of children) await ok(host.admin.post(`/work-orders/${id}/complete`, { success: true }));
    await deliver('work-order.child-ended', { parent_id: kept.id });
    expect((await ok(host.admin.get(`/work-orders/${kept.id}`))).status).toBe('COMPLETED');
  });

  function pollGroup(group: (typeof queueGroups)[number]) {
    if (!sqs.client) throw new Error('no queues');
    return pollQueue({
      client: sqs.client,
      queueUrl: queueUrls.get(group.consumer.queue) ?? '',
      queue: group.consumer.queue,
      handler: async (event) => (await run(group.name, () => group.handler(event))) ?? { batchItemFailures: [] },
      clock: systemClock,
      log,
    });
  }
  async function seed(keys: readonly { pk: string; sk: string }[]): Promise<void> {
    const documents = DynamoDBDocumentClient.from(dynamodbClient);
    for (let from = 0; from < keys.length; from += 25) {
      const requests = keys.slice(from, from + 25).map((Item) => ({ PutRequest: { Item } }));
      await documents.send(new BatchWriteCommand({ RequestItems: { [physicalName('fleet')]: requests } }));
    }
  }
  async function itemsOf(pk: string): Promise<number> {
    const documents = DynamoDBDocumentClient.from(dynamodbClient);
    const query = { TableName: physicalName('fleet'), KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': pk } };
    return (await documents.send(new QueryCommand({ ...query, Select: 'COUNT', ConsistentRead: true }))).Count ?? 0;
  }

  test.each(consumers)('the consumer $name may move a malformed message to the dead-letter queue', async ({ name, handler }) => {
    expect(await run(name, () => handler(sqsEvent({ id: 'm', body: '?' })))).toEqual({ batchItemFailures: [] });
  });

  test('the sweep may relay events that a request could not relay, and keeps unknown ones', async () => {
    const { database } = store(runtimes.get('stacks'));
    const table = workTable.name;
    const id = '00000000-0000-4000-8000-000000000000';
    const data = { change: { kind: 'agent-changed', agent_id: id }, segment: 1 };
    const item = { pk: 'OUTBOX#0', id, type: 'outbox', pending: [], data };
    await database.write({ table, put: { ...item, sk: `2026#${id}`, event: 'fleet.changed' } });
    await database.write({ table, put: { ...item, sk: `2026#unknown-${id}`, event: 'from.a-newer-version' } });
    const claimable = { order_id: id, attempt: 0, status: 'PENDING', step: 'offer' };
    await database.write({ table, put: { ...item, sk: `2026#order-${id}`, event: 'work-order.claimable', data: claimable } });
    const removal = { kind: 'stack', stack_id: id, generator_id: id };
    const removed = { ...item, sk: `2026#removed-${id}`, event: 'fleet.removed', data: { removal, pass: 2, segment: 1 } };
    await database.write({ table, put: removed });
    const account = { kind: 'organization', organization_id: 'o' };
    const cleared = { ...item, sk: `2026#account-${id}`, event: 'account.removed', pending: ['account-clean-up'], data: account };
    await database.write({ table, put: cleared });
    await run('outbox-sweep', () => scheduleGroups[0]?.handler());
    expect(await database.get(table, { pk: 'OUTBOX#0', sk: `2026#${id}` }).catch((error: Error) => error.name)).toBe(
      'AccessDeniedException',
    );
    guard.refused.delete('stacks dynamodb:GetItem WorkTable');
  });

  test('no function needed a right that its role lacks', () => {
    expect([...guard.refused]).toEqual([]);
  });

  test('no role has a right that its function never needed', () => {
    expect(guard.unused()).toEqual([]);
  });
});
