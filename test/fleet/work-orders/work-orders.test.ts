import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startTestHost, type TestHost } from '../../harness/host.ts';
import { turningClock } from '../../identity/turning-clock.ts';
import { type MadeAgent, makeAgent, makeGenerator, ok, pagesOf, unique } from '../fleet-builder.ts';
import { claim, complete, JOB, makeOrder, pendingOf } from './order-builder.ts';

const clock = turningClock();
let host: TestHost;
let agent: MadeAgent;
beforeAll(async () => {
  // Nobody dispatches here, so that no order is offered and the lists are in the order of time.
  host = await startTestHost({ clock, functions: { queueGroups: [], scheduleGroups: [] } });
});
afterAll(() => host.stop());
beforeEach(async () => {
  agent = await makeAgent(host);
});
const orderFor = (more: object = {}) => makeOrder(host, { targeting: { agent_ids: [agent.id] }, ...more });
const read = (id: string) => ok(host.admin.get(`/work-orders/${id}`));

describe('a new order', () => {
  test.each<[string, object, number, string]>([
    ['has no target', { targeting: {} }, 400, 'no_targeting_specified'],
    ['has no targeting at all', {}, 400, 'no_targeting_specified'],
    ['has a blank type', { work_type: '  ', target_agent_ids: ['AGENT'] }, 400, 'invalid_work_order'],
    ['has a blank text', { yaml_content: ' \n', target_agent_ids: ['AGENT'] }, 400, 'invalid_work_order'],
    ['has a label with white space', { targeting: { labels: ['a b'] } }, 400, 'invalid_label'],
    ['has an annotation without a key', { targeting: { annotations: { '': 'x' } } }, 400, 'invalid_annotation'],
    ['names an unknown agent', { target_agent_ids: ['00000000-0000-4000-8000-000000000001'] }, 422, 'foreign_key_violation'],
    ['names too many labels', { targeting: { labels: Array.from({ length: 81 }, (_, n) => `l${n}`) } }, 422, 'too_many'],
    ['may never be retried less than not at all', { max_retries: -1, target_agent_ids: ['AGENT'] }, 422, 'validation_failed'],
    ['has no time', { claim_timeout_seconds: 0, target_agent_ids: ['AGENT'] }, 422, 'validation_failed'],
    ['has more than a MiB', { yaml_content: `a: ${'x'.repeat(1024 * 1024)}`, target_agent_ids: ['AGENT'] }, 413, 'payload_too_large'],
  ])('that %s is refused, and nothing is stored', async (_what, more, status, code) => {
    const body = JSON.parse(JSON.stringify({ work_type: unique('t'), yaml_content: JOB, ...more }).replaceAll('AGENT', agent.id));
    const answer = await host.admin.post('/work-orders', body);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(await pendingOf(agent)).toEqual([]);
  });

  test('is for the agents that it names, that have one of its labels, or one of its annotations; and for no others', async () => {
    const [label, key] = [unique('label'), unique('key')];
    const labelled = await makeAgent(host, { labels: [label] });
    const [annotated, otherValue] = await Promise.all([makeAgent(host), makeAgent(host)]);
    await ok(host.admin.post(`/agents/${annotated.id}/annotations`, { agent_id: annotated.id, key, value: 'eu' }));
    await ok(host.admin.post(`/agents/${otherValue.id}/annotations`, { agent_id: otherValue.id, key, value: 'us' }));
    const order = await orderFor({ targeting: { agent_ids: [agent.id], labels: [label], annotations: { [key]: 'eu' } } });
    for (const one of [agent, labelled, annotated]) expect(await pendingOf(one)).toEqual([order.id]);
    expect(await pendingOf(otherValue)).toEqual([]);
    expect(await claim(otherValue, order)).toMatchObject({ status: 404, body: { code: 'work_order_not_claimable' } });
    expect(await claim(annotated, order)).toMatchObject({ status: 200 });
    expect(await pendingOf(agent)).toEqual([]);
  });

  test('keeps its text byte for byte, also in the log', async () => {
    const yaml_content = `# ü 😀\r\n${JOB}${'# filler\n'.repeat(60_000)}`;
    const order = await orderFor({ yaml_content });
    expect((await claim(agent, order)).body.yaml_content).toBe(yaml_content);
    expect((await complete(agent, order, { success: true })).body.yaml_content).toBe(yaml_content);
    expect((await ok(host.admin.get(`/work-order-log/${order.id}`))).yaml_content).toBe(yaml_content);
  });
});

describe('lists', () => {
  test('the pending list is oldest first, can be cut into pages, and is narrowed by a type', async () => {
    const label = unique('label');
    await ok(host.admin.post(`/agents/${agent.id}/labels`, { agent_id: agent.id, label }));
    const orders: string[] = [];
    for (let n = 0; n < 12; n++) {
      clock.turn(5);
      const targeting = n % 2 ? { labels: [label] } : { agent_ids: [agent.id] };
      orders.push((await makeOrder(host, { work_type: n % 3 ? 'custom' : 'build', targeting })).id);
    }
    expect(await pendingOf(agent)).toEqual(orders);
    expect(await pendingOf(agent, '?work_type=build')).toEqual(orders.filter((_, n) => n % 3 === 0));
    const pages = await pagesOf<{ id: string }>(agent.api, `/agents/${agent.id}/work-orders/pending?limit=5`);
    expect(pages.map((page) => page.length)).toEqual([5, 5, 2]);
    expect(pages.flat().map(({ id }) => id)).toEqual(orders);
  });

  test('an order that two targets of an agent name is listed once', async () => {
    const label = unique('label');
    await ok(host.admin.post(`/agents/${agent.id}/labels`, { agent_id: agent.id, label }));
    const order = await orderFor({ targeting: { agent_ids: [agent.id], labels: [label] } });
    expect(await pendingOf(agent)).toEqual([order.id]);
  });

  test('live orders and the log are newest first, page by page, with filters', async () => {
    const work_type = unique('t');
    const ids: string[] = [];
    for (let n = 0; n < 7; n++) {
      clock.turn(5);
      ids.unshift((await orderFor({ work_type })).id);
    }
    const live = await pagesOf<{ id: string }>(host.admin, `/work-orders?work_type=${work_type}&limit=3`);
    expect(live.map((page) => page.map(({ id }) => id))).toEqual([ids.slice(0, 3), ids.slice(3, 6), ids.slice(6)]);
    await claim(agent, { id: ids[2] ?? '' });
    const claimed = await ok(host.admin.get(`/work-orders?work_type=${work_type}&status=CLAIMED`));
    expect(claimed.map(({ id }: { id: string }) => id)).toEqual([ids[2]]);
    for (const [n, id] of ids.entries()) {
      clock.turn(5);
      await ok(host.admin.post(`/work-orders/${id}/complete`, { success: n % 2 === 0, retryable: false }));
    }
    const log = await pagesOf<{ id: string }>(host.admin, `/work-order-log?work_type=${work_type}&limit=3`);
    expect(log.flat().map(({ id }) => id)).toEqual(ids.toReversed());
    const failures = await ok(host.admin.get(`/work-order-log?work_type=${work_type}&success=false`));
    expect(failures.map(({ id }: { id: string }) => id)).toEqual(ids.toReversed().filter((_, n) => n % 2 === 1));
    expect(await ok(host.admin.get(`/work-order-log?work_type=${work_type}&limit=0`))).toEqual([]);
    expect(await ok(host.admin.get(`/work-orders?work_type=${work_type}`))).toEqual([]);
  });

  test('the log in pages of any length has each entry once', async () => {
    const work_type = unique('t');
    const ids: string[] = [];
    for (let n = 0; n < 30; n++) {
      clock.turn(5);
      const { id } = await orderFor({ work_type });
      await ok(host.admin.post(`/work-orders/${id}/complete`, { success: true }));
      ids.unshift(id);
    }
    for (const limit of [1, 2, 3, 7]) {
      const pages = await pagesOf<{ id: string }>(host.admin, `/work-order-log?work_type=${work_type}&limit=${limit}`);
      expect(pages.flat().map(({ id }) => id)).toEqual(ids);
    }
  });
});

describe('a claim', () => {
  test('of 16 agents that claim one order at once, one gets it', async () => {
    const label = unique('label');
    const agents = await Promise.all(Array.from({ length: 16 }, () => makeAgent(host, { labels: [label] })));
    const order = await makeOrder(host, { targeting: { labels: [label] } });
    const answers = await Promise.all(agents.map((one) => claim(one, order)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 15 }, () => 404)]);
  });

  test('whose lease is over is pending again, and its late completion is refused once another agent has claimed the order', async () => {
    const order = await orderFor();
    const first = (await claim(agent, order, 60)).body.lease;
    expect(await pendingOf(agent)).toEqual([]);
    clock.turn(61_000);
    expect(await read(order.id)).toMatchObject({ status: 'PENDING', claimed_by: null, retry_count: 0 });
    expect(await pendingOf(agent)).toEqual([order.id]);
    const second = (await claim(agent, order, 60)).body.lease;
    expect([first.attempt, second.attempt]).toEqual([1, 2]);
    expect(await complete(agent, order, { success: true, token: first.token })).toMatchObject({
      status: 409,
      body: { code: 'work_order_lease_lost' },
    });
    expect(await complete(agent, order, { success: true, token: second.token })).toMatchObject({ status: 200 });
  });

  test('whose lease is over may still be completed while nobody else has claimed the order', async () => {
    const order = await orderFor();
    const { lease } = (await claim(agent, order, 60)).body;
    clock.turn(61_000);
    expect(await complete(agent, order, { success: true, token: lease.token })).toMatchObject({ status: 200, body: { success: true } });
  });

  test('is renewed up to the order’s time, and not beyond', async () => {
    const order = await orderFor({ claim_timeout_seconds: 100 });
    const { lease } = (await claim(agent, order, 60)).body;
    expect(lease).toMatchObject({ attempt: 1, seconds: 60 });
    const renew = (token = lease.token) => agent.api.post(`/work-orders/${order.id}/renew`, { token });
    clock.turn(50_000);
    const later = (await renew()).body.seconds;
    expect(later).toBeGreaterThanOrEqual(48);
    expect(later).toBeLessThanOrEqual(50);
    expect(await renew('another')).toMatchObject({ status: 409, body: { code: 'work_order_lease_lost' } });
    clock.turn(51_000);
    expect(await renew()).toMatchObject({ status: 409, body: { code: 'work_order_lease_lost' } });
    expect(await pendingOf(agent)).toEqual([order.id]);
  });

  test('without a lease holds for the time of the order', async () => {
    const order = await orderFor({ claim_timeout_seconds: 300 });
    expect((await claim(agent, order)).body).not.toHaveProperty('lease');
    clock.turn(299_000);
    expect(await pendingOf(agent)).toEqual([]);
    clock.turn(1_100);
    expect(await pendingOf(agent)).toEqual([order.id]);
  });

  test('of a cancelled order learns so at its renewal, and a second cancellation finds nothing', async () => {
    const order = await orderFor();
    const { lease } = (await claim(agent, order, 60)).body;
    expect(await host.admin.delete(`/work-orders/${order.id}`)).toMatchObject({ status: 204 });
    const answer = await agent.api.post(`/work-orders/${order.id}/renew`, { token: lease.token });
    expect(answer).toMatchObject({ status: 404, body: { code: 'work_order_not_found' } });
    expect(await host.admin.delete(`/work-orders/${order.id}`)).toMatchObject({ status: 404 });
    expect(await host.admin.get(`/work-order-log/${order.id}`)).toMatchObject({ status: 404 });
  });
});

describe('a completion', () => {
  test('that fails is retried after twice the backoff, then after four times, and the last failure ends the order', async () => {
    const order = await orderFor({ max_retries: 2, backoff_seconds: 10 });
    for (const [retry, waitMs] of [20_000, 40_000].entries()) {
      await claim(agent, order);
      const answer = await complete(agent, order, { success: false, message: `no ${retry}` });
      expect(answer).toMatchObject({ status: 202, body: { status: 'retry_scheduled' } });
      const waiting = await read(order.id);
      expect(waiting).toMatchObject({ status: 'RETRY_PENDING', retry_count: retry + 1, claimed_by: null, last_error: `no ${retry}` });
      expect(Date.parse(waiting.next_retry_after) - Date.parse(waiting.last_error_at)).toBe(waitMs);
      expect(await pendingOf(agent)).toEqual([]);
      clock.turn(waitMs);
      expect(await read(order.id)).toMatchObject({ status: 'PENDING', next_retry_after: null });
    }
    await claim(agent, order);
    const last = await complete(agent, order, { success: false });
    expect(last).toMatchObject({ status: 200, body: { success: false, retries_attempted: 2, result_message: 'Unknown error' } });
    expect(await read(order.id)).toMatchObject({ status: 'FAILED', max_retries: 0, retry_count: 0 });
  });

  test('that no retry can help ends the order at once', async () => {
    const order = await orderFor();
    await claim(agent, order);
    expect(await complete(agent, order, { success: false, retryable: false, message: 'no such kind' })).toMatchObject({
      status: 200,
      body: { success: false, retries_attempted: 0, result_message: 'no such kind' },
    });
  });

  test('that is sent again with its token gets the same answer: after an end, and after a retry', async () => {
    const ended = await orderFor();
    const { lease } = (await claim(agent, ended, 60)).body;
    const result = { success: true, message: 'done', token: lease.token, details: { jobs: [], attempt: 1 } };
    const [first, atOnce] = await Promise.all([complete(agent, ended, result), complete(agent, ended, result)]);
    const later = await complete(agent, ended, result);
    expect([first, atOnce, later].map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(first.body).toMatchObject({ result_details: { jobs: [], attempt: 1 } });
    for (const { body } of [atOnce, later]) expect(body).toEqual(first.body);
    expect(await complete(agent, ended, { ...result, token: 'another' })).toMatchObject({ status: 409 });

    const retried = await orderFor();
    const token = (await claim(agent, retried, 60)).body.lease.token;
    for (let times = 0; times < 2; times++)
      expect(await complete(agent, retried, { success: false, token })).toMatchObject({ status: 202, body: { status: 'retry_scheduled' } });
    expect(await read(retried.id)).toMatchObject({ retry_count: 1 });
  });

  test('of another agent is refused, with or without the token', async () => {
    const [order, stranger] = await Promise.all([orderFor(), makeAgent(host)]);
    const { lease } = (await claim(agent, order, 60)).body;
    for (const token of [undefined, lease.token])
      expect(await complete(stranger, order, { success: true, token })).toMatchObject({
        status: 403,
        body: { code: 'work_order_not_claimed_by_agent' },
      });
    expect(await stranger.api.post(`/work-orders/${order.id}/renew`, { token: lease.token })).toMatchObject({ status: 403 });
  });
});

describe('a generator', () => {
  test('makes orders for agents that are registered with it, and for no others', async () => {
    const generator = await makeGenerator(host);
    const label = unique('label');
    const [own, foreign] = await Promise.all([
      makeAgent(host, { generators: [generator], labels: [label] }),
      makeAgent(host, { labels: [label] }),
    ]);
    const post = (targeting: object) => generator.api.post('/work-orders', { work_type: 'custom', yaml_content: JOB, targeting });
    expect(await post({ agent_ids: [foreign.id] })).toMatchObject({ status: 403, body: { code: 'agent_not_registered' } });
    const order = await ok(post({ labels: [label] }));
    expect(await pendingOf(own)).toEqual([order.id]);
    expect(await pendingOf(foreign)).toEqual([]);
    expect(await claim(foreign, order)).toMatchObject({ status: 404 });
    await ok(host.admin.delete(`/generators/${generator.id}/register`, { agent_id: own.id }));
    expect(await claim(own, order)).toMatchObject({ status: 404 });
  });

  test('sees and cancels its own orders alone', async () => {
    const [generator, other] = await Promise.all([makeGenerator(host), makeGenerator(host)]);
    const own = await makeAgent(host, { generators: [generator] });
    const order = await ok(
      generator.api.post('/work-orders', { work_type: 'custom', yaml_content: JOB, targeting: { agent_ids: [own.id] } }),
    );
    const foreign = await orderFor();
    expect((await ok(generator.api.get('/work-orders'))).map(({ id }: { id: string }) => id)).toEqual([order.id]);
    expect(await ok(other.api.get('/work-orders'))).toEqual([]);
    for (const [id, who] of [
      [foreign.id, generator],
      [order.id, other],
    ] as const) {
      expect(await who.api.get(`/work-orders/${id}`)).toMatchObject({ status: 403, body: { code: 'work_order_not_owned' } });
      expect(await who.api.delete(`/work-orders/${id}`)).toMatchObject({ status: 403 });
      expect(await who.api.post(`/work-orders/${id}/complete`, { success: true })).toMatchObject({ status: 403 });
    }
    await claim(own, order);
    await ok(complete(own, order, { success: true }));
    expect((await ok(generator.api.get('/work-order-log'))).map(({ id }: { id: string }) => id)).toEqual([order.id]);
    expect(await ok(other.api.get('/work-order-log'))).toEqual([]);
    expect(await other.api.get(`/work-order-log/${order.id}`)).toMatchObject({ status: 403 });
  });
});
