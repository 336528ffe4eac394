import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { type MadeAgent, type MadeGenerator, makeAgent, makeGenerator, makeStack, ok, report, target } from './fleet-builder.ts';
import { clockAt, type TestClock } from './test-clock.ts';

/** The store's operations with their costs. */
let consumed: { operation: string; units: number }[] = [];
let clock: TestClock;
let host: TestHost;
let generator: MadeGenerator;
let agent: MadeAgent;
beforeAll(async () => {
  // The host runs without schedules, because they would read at any time.
  clock = clockAt('2026-03-01T12:00:00.000Z');
  host = await startTestHost({
    clock,
    onConsumed: (operation, units) => consumed.push({ operation, units }),
    functions: { scheduleGroups: [] },
  });
  generator = await makeGenerator(host);
  agent = await makeAgent(host, { generators: [generator], labels: ['all'] });
});
afterAll(() => host.stop());

const poll = (etag?: string) => agent.api.get(`/agents/${agent.id}/assignments`, { headers: { 'if-none-match': etag } });
async function costOf(action: () => Promise<unknown>) {
  consumed = [];
  await action();
  return consumed;
}

test.each([0, 10, 100])('an idle poll costs one read unit and no write with %i stacks', async (count) => {
  const { body } = await poll();
  const stacks = await Promise.all(
    Array.from({ length: count - body.assignments.length }, () => makeStack(host, generator, { labels: ['all'], yaml: 'a: 1' })),
  );
  for (const { deploymentObjectId } of stacks.slice(0, 20)) await ok(report(agent, deploymentObjectId));
  const { headers, body: current } = await poll();
  expect(current.assignments).toHaveLength(count);
  for (let round = 0; round < 3; round++) {
    expect(await costOf(async () => expect(await poll(headers.etag)).toMatchObject({ status: 304 }))).toEqual([
      { operation: 'GetItem', units: 1 },
    ]);
  }
});

test('a poll for an unchanged target state costs one read unit and no write', async () => {
  const path = `/agents/${agent.id}/target-state`;
  const { headers } = await agent.api.get(path);
  const idle = () => agent.api.get(path, { headers: { 'if-none-match': headers.etag } });
  expect(await costOf(async () => expect(await idle()).toMatchObject({ status: 304 }))).toEqual([{ operation: 'GetItem', units: 1 }]);
});

test('an agent’s heartbeats are stored at most once a minute, whatever they contain, also if many arrive at once', async () => {
  const beat = (latency: number) =>
    ok(agent.api.post(`/agents/${agent.id}/heartbeat`, { k8s_reachable: latency % 2 === 0, k8s_api_latency_ms: latency }));
  const stored = (spent: { operation: string }[]) => spent.filter(({ operation }) => operation === 'UpdateItem').length;
  clock.pass(60_000);
  const first = await costOf(() => Promise.all([1, 2, 3, 4, 5].map(beat)));
  // A write whose condition fails is charged, but the store doesn't report its capacity.
  expect(stored(first)).toBe(1);
  clock.pass(59_999);
  expect(await costOf(() => beat(6))).toEqual([{ operation: 'GetItem', units: 1 }]);
  clock.pass(1);
  expect(stored(await costOf(() => beat(7)))).toBe(1);
});

const details = (count: number) => ({
  objects_total: count,
  counts: { created: count },
  objects: Array.from({ length: count }, (_, n) => ({
    api_version: 'apps/v1',
    kind: 'Deployment',
    namespace: 'default',
    name: `web-${n}`,
    action: 'created',
    health: 'healthy',
  })),
  duration_ms: 1_200,
});
const written = (spent: readonly { operation: string; units: number }[]) =>
  spent.filter(({ operation }) => /Write|Put|Update|Delete/.test(operation)).reduce((sum, { units }) => sum + units, 0);

test.each([0, 1, 50])('a report with outcomes of %i objects costs at most twelve write units', async (count) => {
  const stack = await makeStack(host, generator, { yaml: 'a: 1' });
  await target(host, agent, stack);
  await poll();
  for (const message of ['first', 'and one more']) {
    expect(
      written(await costOf(() => ok(report(agent, stack.deploymentObjectId, { message, details: details(count) })))),
    ).toBeLessThanOrEqual(12);
  }
});

test('a repeated report stores no new event, however often it is repeated', async () => {
  const stack = await makeStack(host, generator, { yaml: 'a: 1' });
  await target(host, agent, stack);
  await poll();
  await ok(report(agent, stack.deploymentObjectId));
  const count = async () => (await ok(host.admin.get(`/agents/${agent.id}/events`))).length;
  const before = await count();
  const spent = await costOf(() => ok(report(agent, stack.deploymentObjectId)));
  expect(spent.filter(({ operation }) => operation === 'TransactWriteItems' || operation === 'PutItem')).toEqual([]);
  expect(await count()).toBe(before);
});

test('a key that is malformed is refused without asking the store', async () => {
  for (const authorization of ['garbage', 'brokkr_x', 'Basic eDp5', undefined]) {
    const spent = await costOf(() => host.anonymous.get('/agents', { headers: { authorization } }));
    expect(spent.filter(({ operation }) => operation !== 'TransactWriteItems')).toEqual([]);
  }
});

test('a first page of an agent that runs 100 stacks costs a few queries and one read for each stack', async () => {
  await ok(host.admin.put(`/agents/${agent.id}`, { status: 'PAUSED' }));
  await ok(host.admin.put(`/agents/${agent.id}`, { status: 'ACTIVE' }));
  const spent = await costOf(() => poll());
  const units = spent.reduce((sum, { units: cost }) => sum + cost, 0);
  expect(units).toBeLessThan(150);
  expect(spent.filter(({ operation }) => /Write|Put|Update/.test(operation))).toEqual([]);
});
