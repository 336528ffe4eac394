import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type DrivenQueues, driveQueues } from '../../harness/driven-queues.ts';
import { startTestHost, type TestHost } from '../../harness/host.ts';
import { type MadeAgent, type MadeGenerator, makeAgent, makeGenerator, ok, orderFor, pagesOf } from '../fleet-builder.ts';
import { claim, complete, makeOrder } from './order-builder.ts';

let host: TestHost;
let queues: DrivenQueues;
let generator: MadeGenerator;
let agent: MadeAgent;
beforeAll(async () => {
  host = await startTestHost({ functions: { queueGroups: [], scheduleGroups: [] } });
  queues = driveQueues(host.app.services);
});
afterAll(() => host.stop());
beforeEach(async () => {
  generator = await makeGenerator(host);
  agent = await makeAgent(host, { generators: [generator] });
});

const ownOrder = (more: object = {}): Promise<{ id: string }> => ok(generator.api.post('/work-orders', { ...orderFor(agent), ...more }));
const ids = (items: readonly unknown[]) => (items as { id: string }[]).map(({ id }) => id);
const ended = async (order: { id: string }) => {
  await ok(claim(agent, order));
  await ok(complete(agent, order, { success: true }));
};
/** The partitions that are queried meanwhile. */
async function queried(work: () => Promise<unknown>): Promise<string[]> {
  const { database } = host.app.services;
  const { query } = database;
  const pks: string[] = [];
  database.query = (table, asked) => {
    if (table === 'work') pks.push(asked.pk);
    return query(table, asked);
  };
  await work();
  database.query = query;
  return pks;
}
const remains = async (pk: string) => (await host.app.services.database.query('work', { pk })).items.map(({ sk }) => sk);

test("a generator's lists read its own partitions and no one else's", async () => {
  await makeOrder(host, { targeting: { agent_ids: [agent.id] } });
  const live = await ownOrder();
  const done = await ownOrder();
  await ended(done);
  const pks = await queried(async () => {
    expect(ids(await ok(generator.api.get('/work-orders')))).toEqual([live.id]);
    expect(ids(await ok(generator.api.get('/work-order-log')))).toEqual([done.id]);
  });
  expect(pks).toEqual([`ORDEROWNER#${generator.id}`, `ORDERLOGOWNER#${generator.id}`]);
});

test("a generator's lists can be searched, and lead through all its orders by their cursors", async () => {
  const orders: string[] = [];
  for (let n = 0; n < 7; n++) orders.push((await ownOrder({ work_type: n % 2 ? 'build' : 'custom' })).id);
  const newestFirst = orders.toReversed();
  const odd = newestFirst.filter((id) => orders.indexOf(id) % 2 === 1);
  expect(ids((await pagesOf(generator.api, '/work-orders?limit=3')).flat())).toEqual(newestFirst);
  expect(ids(await ok(generator.api.get('/work-orders?work_type=build')))).toEqual(odd);
  await ok(claim(agent, { id: orders[0] ?? '' }));
  expect(ids(await ok(generator.api.get('/work-orders?status=CLAIMED')))).toEqual([orders[0]]);
  await ok(complete(agent, { id: orders[0] ?? '' }, { success: false, retryable: false }));
  for (const id of orders.slice(1)) await ended({ id });
  expect(ids((await pagesOf(generator.api, '/work-order-log?limit=3')).flat())).toEqual(newestFirst);
  expect(ids(await ok(generator.api.get('/work-order-log?success=false')))).toEqual([orders[0]]);
  expect(ids(await ok(generator.api.get('/work-order-log?work_type=build')))).toEqual(odd);
  expect(await remains(`ORDEROWNER#${generator.id}`)).toEqual([]);
});

test('the removal of a generator removes its orders that have not ended, also those that an agent works on', async () => {
  const orders = await Promise.all(Array.from({ length: 30 }, () => ownOrder()));
  const [claimed, done] = orders;
  if (!claimed || !done) throw new Error('no orders');
  const foreign = await makeOrder(host, { targeting: { agent_ids: [agent.id] } });
  await queues.drain();
  const { lease } = await ok(claim(agent, claimed, 60));
  await ended(done);
  await ok(host.admin.delete(`/generators/${generator.id}`));
  // The first message of the orders fails in the middle.
  const { database } = host.app.services;
  const { transact } = database;
  let left = 10;
  database.transact = async (writes) => {
    if (writes.some((write) => 'delete' in write && write.delete.pk.startsWith('ORDEROWNER#')) && --left < 0) throw new Error('killed');
    return transact(writes);
  };
  const message = queues.messages.findIndex(({ body }) => body.includes('generator-orders'));
  const [first] = queues.messages.splice(message, 1);
  if (!first) throw new Error('no message');
  expect(await queues.deliver(first)).toBe(false);
  database.transact = transact;
  queues.messages.push(first);
  await queues.drain();

  expect(await remains(`ORDEROWNER#${generator.id}`)).toEqual([]);
  expect(await remains(`ORDERTARGET#${generator.id}#AGENT#${agent.id}`)).toEqual([]);
  expect(await remains(`OFFERS#${agent.id}`)).toEqual([foreign.id]);
  for (const { id } of orders) {
    expect(await remains(`ORDER#${id}`)).toHaveLength(id === done.id ? 1 : 0);
    expect((await host.admin.get(`/work-orders/${id}`)).status).toBe(id === done.id ? 200 : 404);
  }
  expect((await agent.api.post(`/work-orders/${claimed.id}/renew`, { token: lease.token })).status).toBe(404);
  const { logs } = await ok(host.admin.get(`/admin/audit-logs?resource_id=${claimed.id}&action=workorder.deleted`));
  expect(logs).toMatchObject([{ actor_type: 'system', resource_type: 'work_order' }]);
});

test('a few orders of a removed generator are gone when the removal is answered', async () => {
  const order = await ownOrder();
  await ok(host.admin.delete(`/generators/${generator.id}`));
  expect((await host.admin.get(`/work-orders/${order.id}`)).status).toBe(404);
});
