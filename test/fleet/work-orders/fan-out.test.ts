import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { makeChildren } from '../../../lib/fleet/work-orders/fan-out/make-children.ts';
import { type DrivenQueues, driveQueues } from '../../harness/driven-queues.ts';
import { startTestHost, type TestHost } from '../../harness/host.ts';
import { turningClock } from '../../identity/turning-clock.ts';
import { type MadeAgent, makeAgent, makeGenerator, ok, pagesOf, unique } from '../fleet-builder.ts';
import { claim, complete, JOB, makeOrder, pendingOf } from './order-builder.ts';

const clock = turningClock();
let host: TestHost;
let queues: DrivenQueues;
let label: string;
beforeAll(async () => {
  host = await startTestHost({ clock, functions: { queueGroups: [], scheduleGroups: [] } });
});
afterAll(() => host.stop());
beforeEach(() => {
  queues = driveQueues(host.app.services);
  label = unique('label');
});

interface Child {
  id: string;
  agent_id: string;
  status: string;
}
const crowd = (count: number): Promise<MadeAgent[]> =>
  Promise.all(Array.from({ length: count }, () => makeAgent(host, { labels: [label] })));
const forAll = (more: object = {}) => makeOrder(host, { fan_out: 'all', targeting: { labels: [label] }, ...more });
const made = async (more: object = {}) => {
  const order = await forAll(more);
  await queues.drain();
  return order;
};
const read = ({ id }: { id: string }) => ok(host.admin.get(`/work-orders/${id}`));
const childrenOf = async ({ id }: { id: string }): Promise<Child[]> =>
  (await pagesOf<Child & Record<string, unknown>>(host.admin, `/work-orders/${id}/children?limit=3`)).flat();
/** The agent claims its one order and ends it. */
const carryOut = async (agent: MadeAgent, success = true) => {
  const [id = ''] = await pendingOf(agent);
  await ok(claim(agent, { id }));
  await ok(complete(agent, { id }, { success, retryable: false, message: success ? undefined : 'broken' }));
};
const remains = async (pk: string) => (await host.app.services.database.query('work', { pk })).items;
const ids = (agents: readonly MadeAgent[]) => agents.map(({ id }) => id).sort();

describe('an order for all agents', () => {
  test('has one child for each agent that matches, shows their sum, and ends with the last of them', async () => {
    const agents = await crowd(4);
    const [first, ...others] = agents;
    if (!first) throw new Error('no agent');
    const order = await made();
    expect(await read(order)).toMatchObject({ fan_out: 'all', status: 'PENDING', children: { total: 4, open: 4, completed: 0 } });
    expect((await childrenOf(order)).map(({ agent_id, status }) => [agent_id, status])).toEqual(ids(agents).map((id) => [id, 'PENDING']));
    for (const agent of others) await carryOut(agent);
    await queues.drain();
    expect(await read(order)).toMatchObject({ status: 'PENDING', children: { total: 4, open: 1, completed: 3, failed: 0 } });
    await carryOut(first);
    await queues.drain();
    expect(await read(order)).toMatchObject({
      status: 'COMPLETED',
      fan_out: 'all',
      yaml_content: JOB,
      children: { total: 4, completed: 4 },
    });
    const entry = await ok(host.admin.get(`/work-order-log/${order.id}`));
    expect(entry).toMatchObject({ success: true, result_message: '4 of 4 completed, 0 failed, 0 cancelled', yaml_content: JOB });
    expect(await remains(`ORDERSUM#${order.id}`)).toEqual([]);
    const [child] = await childrenOf(order);
    expect(await ok(host.admin.get(`/work-order-log/${child?.id}`))).toMatchObject({ parent_id: order.id, yaml_content: JOB });
  });

  test('fails if one of its children fails, and says how many', async () => {
    const [one, other] = await crowd(2);
    if (!one || !other) throw new Error('no agents');
    const order = await made();
    await carryOut(one);
    await carryOut(other, false);
    await queues.drain();
    expect(await read(order)).toMatchObject({ status: 'FAILED', children: { completed: 1, failed: 1 } });
    expect((await childrenOf(order)).map(({ status }) => status).sort()).toEqual(['COMPLETED', 'FAILED']);
  });

  test('fails at once if no agent matches', async () => {
    const order = await made();
    const entry = await ok(host.admin.get(`/work-order-log/${order.id}`));
    expect(entry).toMatchObject({ success: false, result_message: 'no agent matches the targeting', children: { total: 0 } });
  });

  test('gives an agent that several targets name one child', async () => {
    const agents = await crowd(3);
    const annotated = await makeAgent(host, {});
    await ok(host.admin.post(`/agents/${annotated.id}/annotations`, { agent_id: annotated.id, key: 'zone', value: label }));
    const targeting = { agent_ids: [agents[0]?.id], labels: [label, unique('none')], annotations: { zone: label } };
    const order = await made({ targeting });
    expect((await childrenOf(order)).map(({ agent_id }) => agent_id)).toEqual(ids([...agents, annotated]));
  });

  test('gives each agent one child, however often and in whatever order its messages come', async () => {
    const agents = await crowd(5);
    const order = await forAll();
    const { services } = host.app;
    const event = { id: unique('event'), data: { order_id: order.id, target: 1, segment: 1 } };
    await Promise.all([makeChildren(services, event, 2), makeChildren(services, event, 3), makeChildren(services, event, 2)]);
    const seen = [...queues.messages];
    await queues.drain();
    for (const message of [...seen, ...seen]) await queues.deliver(message);
    await queues.drain();
    expect((await childrenOf(order)).map(({ agent_id }) => agent_id)).toEqual(ids(agents));
    expect(await read(order)).toMatchObject({ children: { total: 5, open: 5 } });
    for (const agent of agents) await carryOut(agent);
    for (const message of [...seen, ...queues.messages.splice(0)]) await queues.deliver(message);
    for (const agent of agents) expect(await pendingOf(agent)).toEqual([]);
    expect((await ok(host.admin.get(`/work-order-log/${order.id}`))).children).toMatchObject({ total: 5, completed: 5 });
  });

  test('takes its children with it when it is cancelled, and an agent that works on one learns so', async () => {
    const [idle, busy, done] = await crowd(3);
    if (!idle || !busy || !done) throw new Error('no agents');
    const order = await made();
    await carryOut(done);
    const [working = ''] = await pendingOf(busy);
    const { lease } = (await claim(busy, { id: working }, 60)).body;
    await ok(host.admin.delete(`/work-orders/${order.id}`));
    await queues.drain();
    expect(await pendingOf(idle)).toEqual([]);
    expect((await busy.api.post(`/work-orders/${working}/renew`, { token: lease.token })).status).toBe(404);
    expect((await host.admin.get(`/work-orders/${order.id}`)).status).toBe(404);
    expect(await remains(`ORDERSUM#${order.id}`)).toEqual([]);
    const log = (await ok(host.admin.get('/work-order-log?limit=1')))[0];
    expect(log).toMatchObject({ claimed_by: done.id, parent_id: order.id, yaml_content: JOB });
  });

  test('that is cancelled before its children are made has none', async () => {
    const [agent] = await crowd(1);
    if (!agent) throw new Error('no agent');
    const order = await forAll();
    await ok(host.admin.delete(`/work-orders/${order.id}`));
    await queues.drain();
    expect(await pendingOf(agent)).toEqual([]);
    expect(await remains(`ORDERSUM#${order.id}`)).toEqual([]);
  });

  test('goes on without a child that is cancelled for itself, and counts it', async () => {
    const [agent, other] = await crowd(2);
    if (!agent || !other) throw new Error('no agents');
    const order = await made();
    await ok(host.admin.delete(`/work-orders/${(await pendingOf(other))[0]}`));
    await carryOut(agent);
    await queues.drain();
    expect(await read(order)).toMatchObject({ status: 'FAILED', children: { completed: 1, cancelled: 1 } });
  });

  test('is claimed and completed by nobody', async () => {
    const [agent] = await crowd(1);
    if (!agent) throw new Error('no agent');
    const order = await made();
    expect((await claim(agent, order)).status).toBe(404);
    expect((await agent.api.post(`/work-orders/${order.id}/renew`, { token: 'x' })).status).toBe(403);
    const completed = await host.admin.post(`/work-orders/${order.id}/complete`, { success: true });
    expect([completed.status, completed.body.code]).toEqual([400, 'invalid_work_order']);
  });

  test('of a generator reaches only agents that are registered with it, and goes with the generator', async () => {
    const generator = await makeGenerator(host);
    const own = await makeAgent(host, { generators: [generator], labels: [label] });
    await crowd(2);
    const body = { work_type: 'custom', yaml_content: JOB, fan_out: 'all', targeting: { labels: [label] } };
    const order = await ok(generator.api.post('/work-orders', body));
    await queues.drain();
    const children = await ok(generator.api.get(`/work-orders/${order.id}/children`));
    expect(children.map(({ agent_id }: Child) => agent_id)).toEqual([own.id]);
    expect((await ok(generator.api.get('/work-orders'))).map(({ id }: { id: string }) => id).sort()).toEqual(
      [order.id, children[0].id].sort(),
    );
    expect((await (await makeGenerator(host)).api.get(`/work-orders/${order.id}/children`)).status).toBe(403);
    await ok(host.admin.delete(`/generators/${generator.id}`));
    await queues.drain();
    expect(await pendingOf(own)).toEqual([]);
    expect(await remains(`ORDERSUM#${order.id}`)).toEqual([]);
  });
});
