import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Database, Key, QueryOptions } from '../../lib/platform/database/database.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import {
  configMap,
  type MadeAgent,
  type MadeGenerator,
  makeAgent,
  makeGenerator,
  makeStack,
  ok,
  report,
  submit,
  target,
  unique,
} from './fleet-builder.ts';

let host: TestHost;
let generator: MadeGenerator;
let agent: MadeAgent;
let stack: Awaited<ReturnType<typeof makeStack>>;
let database: Database;
let whole: Database;
let old: string;
let other: string;
beforeAll(async () => {
  host = await startTestHost({ functions: { scheduleGroups: [] } });
  database = host.app.services.database;
  whole = { ...database };
});
afterAll(() => host.stop());
beforeEach(async () => {
  Object.assign(database, whole);
  [old, other] = [unique('old'), unique('other')];
  generator = await makeGenerator(host);
  agent = await makeAgent(host, { generators: [generator], labels: [old, other] });
  stack = await makeStack(host, generator, { labels: [old], yaml: configMap('one') });
  await agent.assignments();
});

/** Holds the next query of stacks with this label until the returned `release` is called. */
function holdStacksBy(label: string): { reached: Promise<void>; release: () => void } {
  const [arrival, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  database.query = async (table: string, options: QueryOptions) => {
    if (options.pk !== `MATCH#${generator.id}#LABEL#${label}`) return whole.query(table, options);
    database.query = whole.query;
    arrival.resolve();
    await gate.promise;
    return whole.query(table, options);
  };
  return { reached: arrival.promise, release: gate.resolve };
}

const state = async () => (await agent.assignments()).get(stack.id)?.state;
const path = () => `/stacks/${stack.id}`;

test('a stack whose label is exchanged while a poll reads stays assigned', async () => {
  // By then the query for the other label has been answered, before the stack had this label.
  const { reached, release } = holdStacksBy(old);
  const polling = state();
  await reached;
  await ok(generator.api.post(`${path()}/labels`, other));
  await ok(generator.api.delete(`${path()}/labels/${old}`));
  release();
  expect(await polling).toBe('assigned');
  expect(await state()).toBe('assigned');
});

test('a target state that is read while a label is exchanged misses no stack', async () => {
  const answer = () => ok(agent.api.get(`/agents/${agent.id}/target-state`));
  const { reached, release } = holdStacksBy(old);
  const polling = answer();
  await reached;
  await ok(generator.api.post(`${path()}/labels`, other));
  await ok(generator.api.delete(`${path()}/labels/${old}`));
  release();
  expect(await polling).toMatchObject([{ id: stack.deploymentObjectId }]);
  await ok(generator.api.delete(`${path()}/labels/${other}`));
  expect(await answer()).toEqual([]);
});

test('a stack that moves from a label to a target while a poll reads stays assigned, with its newest deployment object', async () => {
  const { reached, release } = holdStacksBy(old);
  const polling = agent.assignments();
  await reached;
  await target(host, agent, stack);
  await ok(generator.api.delete(`${path()}/labels/${old}`));
  const newest = await submit(host, stack.id, configMap('two'));
  release();
  expect((await polling).get(stack.id)).toMatchObject({ state: 'assigned', deployment_object_id: newest.id });
});

test('a withdrawn stack that matches again is not withdrawn once more by a poll that could not see it', async () => {
  await ok(generator.api.delete(`${path()}/labels/${old}`));
  expect(await state()).toBe('withdrawn');
  await ok(generator.api.post(`${path()}/labels`, old));
  const { reached, release } = holdStacksBy(old);
  const polling = state();
  await reached;
  await ok(generator.api.post(`${path()}/labels`, other));
  await ok(generator.api.delete(`${path()}/labels/${old}`));
  release();
  expect(await polling).toBe('assigned');
});

test('a poll withdraws a stack that the agent does not run any more, although its queries were delayed', async () => {
  await ok(generator.api.delete(`${path()}/labels/${old}`));
  expect(await state()).toBe('withdrawn');
});

test('a poll whose decisive read fails withdraws nothing and says that it failed', async () => {
  await ok(generator.api.delete(`${path()}/labels/${old}`));
  database.transactGet = async () => {
    throw new Error('torn');
  };
  expect((await agent.api.get(`/agents/${agent.id}/assignments`)).status).toBe(500);
  const told = await whole.get('fleet', { pk: `AGENT#${agent.id}`, sk: `TOLD#${stack.id}` });
  expect(told).toMatchObject({ state: 'assigned' });
  Object.assign(database, whole);
  expect(await state()).toBe('withdrawn');
});

test('a stack whose item of selectors is lost is not withdrawn', async () => {
  const selectors: Key = { pk: `STACK#${stack.id}`, sk: 'SELECTORS' };
  await whole.write({ table: 'fleet', delete: selectors });
  await whole.write({ table: 'fleet', delete: { pk: `MATCH#${generator.id}#LABEL#${old}`, sk: stack.id } });
  expect(await state()).toBe('assigned');
});

test('a change while a poll reads makes its answer stale at once', async () => {
  const { reached, release } = holdStacksBy(other);
  const polling = agent.api.get(`/agents/${agent.id}/assignments`);
  await reached;
  await submit(host, stack.id, configMap('two'));
  release();
  const { headers } = await polling;
  expect((await agent.api.get(`/agents/${agent.id}/assignments`, { headers: { 'if-none-match': headers.etag } })).status).toBe(200);
});

test('a removal that is reported again after a failure within its confirmation leaves the list', async () => {
  await ok(generator.api.delete(`${path()}/labels/${old}`));
  const { headers } = await agent.api.get(`/agents/${agent.id}/assignments`);
  const removed = () => report(agent, stack.deploymentObjectId, { event_type: 'REMOVE' });
  database.write = async (write) => {
    if ('update' in write && write.update.sk === agent.id) throw new Error('killed');
    return whole.write(write);
  };
  expect(await removed()).toMatchObject({ status: 500 });
  Object.assign(database, whole);
  await ok(removed());
  const answer = await agent.api.get(`/agents/${agent.id}/assignments`, { headers: { 'if-none-match': headers.etag } });
  expect(answer).toMatchObject({ status: 200, body: { assignments: [] } });
});
