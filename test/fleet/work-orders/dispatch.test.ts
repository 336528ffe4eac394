import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { cancelWorkOrder } from '../../../lib/fleet/work-orders/cancel-work-order.ts';
import { wakeSegment } from '../../../lib/fleet/work-orders/dispatch/wake-agents.ts';
import { listPendingOrders } from '../../../lib/fleet/work-orders/work-order-lists.ts';
import type { Database } from '../../../lib/platform/database/database.ts';
import { type DrivenQueues, driveQueues, type QueuedMessage } from '../../harness/driven-queues.ts';
import { startTestHost, type TestHost } from '../../harness/host.ts';
import { turningClock } from '../../identity/turning-clock.ts';
import { type MadeAgent, makeAgent, makeGenerator, ok, unique } from '../fleet-builder.ts';
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

const crowd = (count: number): Promise<MadeAgent[]> =>
  Promise.all(Array.from({ length: count }, () => makeAgent(host, { labels: [label] })));
const forLabel = (more: object = {}) => makeOrder(host, { targeting: { labels: [label] }, ...more });
/** What an agent's poll says of orders, out of a 304. */
async function toldOf(agent: MadeAgent): Promise<string | undefined> {
  const headers = { 'if-none-match': `"${await agent.revision()}"` };
  const answer = await agent.api.get(`/agents/${agent.id}/assignments`, { headers });
  expect(answer.status).toBe(304);
  return answer.headers['x-brokkr-work-orders'];
}
/** The agents whose poll says something else than before. */
async function nudgedBy(agents: readonly MadeAgent[], work: () => Promise<unknown>): Promise<MadeAgent[]> {
  const before = await Promise.all(agents.map(toldOf));
  await work();
  const after = await Promise.all(agents.map(toldOf));
  return agents.filter((_, n) => after[n] !== before[n]);
}
const dispatch = () => queues.drain();

describe('a new order', () => {
  test('is told to three agents, and to all others only after fifteen seconds without a claim', async () => {
    const agents = await crowd(7);
    let offered: MadeAgent[] = [];
    const order = await forLabel();
    offered = await nudgedBy(agents, dispatch);
    expect(offered).toHaveLength(3);
    clock.turn(14_000);
    expect(await nudgedBy(agents, dispatch)).toEqual([]);
    clock.turn(2_000);
    expect(await nudgedBy(agents, dispatch)).toHaveLength(7);
    for (const agent of agents) expect(await pendingOf(agent)).toEqual([order.id]);
  });

  test('that one of the three claims is told to nobody else', async () => {
    const agents = await crowd(5);
    const order = await forLabel();
    const [first] = await nudgedBy(agents, dispatch);
    if (!first) throw new Error('nobody was told');
    await ok(claim(first, order, 60));
    clock.turn(16_000);
    expect(await nudgedBy(agents, dispatch)).toEqual([]);
  });

  test('is told to ACTIVE agents before all others, and to those that were seen lately before the silent ones', async () => {
    const [silent, seen] = await crowd(2);
    const inactive = await makeAgent(host, { labels: [label], status: 'INACTIVE' });
    if (!silent || !seen) throw new Error('no agents');
    await ok(seen.api.post(`/agents/${seen.id}/heartbeat`, {}));
    await forLabel();
    expect(await nudgedBy([silent, seen, inactive], dispatch)).toEqual([silent, seen]);
    const orders = await Promise.all(Array.from({ length: 8 }, () => forLabel()));
    await dispatch();
    const homes = await Promise.all(orders.map(({ id }) => host.app.services.database.get('work', { pk: `ORDERS#${id.at(-1)}`, sk: id })));
    expect(homes.map((home) => home?.offered_to)).toEqual(orders.map(() => [seen.id, silent.id]));
  });

  test('is spread evenly: 90 orders for six agents give each of them about fifteen first offers', async () => {
    const agents = await crowd(6);
    for (let n = 0; n < 90; n++) await forLabel();
    await dispatch();
    const firsts = await Promise.all(
      agents.map(async ({ id }) => (await host.app.services.database.query('work', { pk: `OFFERS#${id}` })).items),
    );
    const counts = firsts.map((items) => items.filter(({ rank }) => rank === 0).length);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(90);
    for (const count of counts) expect(count).toBeGreaterThan(4);
  });

  test('of a generator is told only to agents that are registered with it', async () => {
    const generator = await makeGenerator(host);
    const own = await makeAgent(host, { generators: [generator], labels: [label] });
    const foreign = await crowd(3);
    await ok(generator.api.post('/work-orders', { work_type: 'custom', yaml_content: JOB, targeting: { labels: [label] } }));
    expect(await nudgedBy([own, ...foreign], dispatch)).toEqual([own]);
    clock.turn(16_000);
    expect(await nudgedBy([own, ...foreign], dispatch)).toEqual([own]);
  });
});

describe('an order', () => {
  test('that is cancelled while it is offered leaves no offer behind', async () => {
    const agents = await crowd(3);
    const order = await forLabel();
    const { services } = host.app;
    let offered = false;
    const database: Database = {
      ...services.database,
      async get(table, key) {
        const item = await services.database.get(table, key);
        if (key.sk === order.id && !offered) {
          offered = true;
          await dispatch();
        }
        return item;
      },
    };
    await cancelWorkOrder({ ...services, database }, { principal: { type: 'admin' } }, order.id);
    const offers = await Promise.all(agents.map(({ id }) => services.database.query('work', { pk: `OFFERS#${id}` })));
    expect(offers.flatMap(({ items }) => items)).toEqual([]);
  });
});

describe('the pending list', () => {
  test('costs an agent that wants a few orders only some of the reads of all that are offered to it', async () => {
    const [agent] = await crowd(1);
    if (!agent) throw new Error('no agent');
    for (let n = 0; n < 60; n++) await forLabel();
    await dispatch();
    const { services } = host.app;
    let homes = 0;
    const database: Database = {
      ...services.database,
      batchGet(table, keys) {
        homes += keys.filter(({ pk }) => pk.startsWith('ORDERS#')).length;
        return services.database.batchGet(table, keys);
      },
    };
    const { items } = await listPendingOrders({ ...services, database }, agent.id, { limit: 5 });
    expect(items).toHaveLength(5);
    expect(homes).toBeLessThan(30);
  });

  test('begins with what is offered to the agent, the best offers first, and repeats nothing on one page', async () => {
    const agents = await crowd(4);
    const orders: string[] = [];
    for (let n = 0; n < 12; n++) {
      clock.turn(2);
      orders.push((await forLabel()).id);
    }
    await dispatch();
    for (const agent of agents) {
      const { items } = await host.app.services.database.query('work', { pk: `OFFERS#${agent.id}` });
      const offered = items.toSorted((a, b) => Number(a.rank) - Number(b.rank) || (a.sk < b.sk ? -1 : 1)).map(({ sk }) => sk);
      expect(await pendingOf(agent)).toEqual([...offered, ...orders.filter((id) => !offered.includes(id))]);
      expect(await pendingOf(agent, '?limit=2')).toEqual(offered.slice(0, 2));
    }
  });

  test('leads through every order by its cursor, even if the first page is full of offers', async () => {
    const [agent] = await crowd(1);
    if (!agent) throw new Error('no agent');
    const others = await Promise.all(Array.from({ length: 3 }, () => forLabel()));
    queues.messages.length = 0;
    const offered = await Promise.all(Array.from({ length: 4 }, () => forLabel()));
    await dispatch();
    const seen = new Set<string>();
    let cursor = '';
    for (let page = 0; page < 10; page++) {
      const answer = await agent.api.get(`/agents/${agent.id}/work-orders/pending?limit=3${cursor}`);
      for (const { id } of answer.body) seen.add(id);
      const next = answer.headers['x-next-cursor'];
      if (next === undefined) break;
      cursor = `&cursor=${next}`;
    }
    expect([...seen].sort()).toEqual([...others, ...offered].map(({ id }) => id).sort());
  });
});

describe('an order that becomes claimable again', () => {
  test('is told again when its lease is over, and not before, however often the lease was renewed', async () => {
    const agents = await crowd(2);
    const order = await forLabel();
    const [agent] = await nudgedBy(agents, dispatch);
    if (!agent) throw new Error('nobody was told');
    const { lease } = (await claim(agent, order, 60)).body;
    for (let renewal = 0; renewal < 5; renewal++) {
      clock.turn(40_000);
      await ok(agent.api.post(`/work-orders/${order.id}/renew`, { token: lease.token }));
      expect(await nudgedBy(agents, dispatch)).toEqual([]);
      const waiting = queues.messages.filter(({ body }) => body.includes(order.id) && body.includes('CLAIMED'));
      expect(waiting).toHaveLength(1);
    }
    clock.turn(61_000);
    expect(await nudgedBy(agents, dispatch)).toHaveLength(2);
    expect(await pendingOf(agent)).toEqual([order.id]);
  });

  test('is told again when its retry is due', async () => {
    const [agent] = await crowd(1);
    if (!agent) throw new Error('no agent');
    const order = await forLabel({ backoff_seconds: 30 });
    await dispatch();
    await ok(claim(agent, order));
    await ok(complete(agent, order, { success: false }));
    clock.turn(58_000);
    expect(await nudgedBy([agent], dispatch)).toEqual([]);
    clock.turn(3_000);
    expect(await nudgedBy([agent], dispatch)).toEqual([agent]);
  });
});

describe('messages', () => {
  test('that come twice and in any order change nothing but a nudge more', async () => {
    const agents = await crowd(5);
    const order = await forLabel();
    const seen: QueuedMessage[] = [...queues.messages];
    await dispatch();
    const offers = () =>
      Promise.all(agents.map(async ({ id }) => (await host.app.services.database.query('work', { pk: `OFFERS#${id}` })).items));
    const before = await offers();
    const waiting = queues.messages.length;
    for (const message of [...seen, ...seen]) expect(await queues.deliver(message)).toBe(true);
    expect(await offers()).toEqual(before);
    expect(queues.messages).toHaveLength(waiting);
    const [agent] = agents;
    if (!agent) throw new Error('no agent');
    await ok(claim(agent, order));
    await ok(complete(agent, order, { success: true }));
    for (const message of seen) expect(await queues.deliver(message)).toBe(true);
    expect(await offers()).toEqual(agents.map(() => []));
  });

  test('of many waiting orders wake the agents of a label once within fifteen seconds', async () => {
    const agents = await crowd(2);
    for (let n = 0; n < 10; n++) await forLabel();
    await dispatch();
    clock.turn(16_000);
    const before = queues.messages.filter(({ body }) => body.includes('agents-woken')).length;
    for (const message of queues.messages.splice(0)) await queues.deliver(message);
    const woken = queues.messages.filter(({ body }) => body.includes('agents-woken'));
    expect(woken.length - before).toBe(1);
    expect(await nudgedBy(agents, dispatch)).toHaveLength(2);
  });

  test('wake the agents of a large label segment by segment', async () => {
    const agents = await crowd(5);
    const { services } = host.app;
    const first = { generator_id: services.installation.system_generator_id, target: { label }, segment: 1 };
    const woken = await nudgedBy(agents, () => wakeSegment(services, { id: unique('event'), data: first }, 2));
    expect(woken).toHaveLength(2);
    expect(await nudgedBy(agents, dispatch)).toHaveLength(3);
  });
});
