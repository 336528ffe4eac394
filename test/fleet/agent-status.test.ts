import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { configMap, type MadeGenerator, makeAgent, makeGenerator, makeStack, ok, report, submit, target, unique } from './fleet-builder.ts';
import { clockAt, type TestClock } from './test-clock.ts';

let clock: TestClock;
let host: TestHost;
let generator: MadeGenerator;
beforeAll(async () => {
  clock = clockAt('2026-03-01T12:00:00.000Z');
  host = await startTestHost({ clock });
  generator = await makeGenerator(host);
});
afterAll(() => host.stop());

const setStatus = (agent: { id: string }, status: string) => ok(host.admin.put(`/agents/${agent.id}`, { status }));

describe('an agent that is not ACTIVE', () => {
  test.each(['INACTIVE', 'PAUSED', 'active', 'ACTIVE '])('an agent with the status %s is assigned nothing new', async (status) => {
    const agent = await makeAgent(host, { generators: [generator], status });
    const stack = await makeStack(host, generator, { yaml: configMap('one') });
    await target(host, agent, stack);
    expect(await agent.assignments()).toEqual(new Map());
    await setStatus(agent, 'ACTIVE');
    expect((await agent.assignments()).get(stack.id)).toMatchObject({ state: 'assigned' });
  });

  test('an inactive agent keeps its assignments as it was told of them, and removes nothing', async () => {
    const agent = await makeAgent(host, { generators: [generator] });
    const [kept, lost, fresh] = [
      await makeStack(host, generator, { yaml: configMap('kept') }),
      await makeStack(host, generator, { yaml: configMap('lost') }),
      await makeStack(host, generator, { yaml: configMap('fresh') }),
    ];
    for (const stack of [kept, lost]) await target(host, agent, stack);
    const before = await agent.assignments();
    await setStatus(agent, 'INACTIVE');
    await submit(host, kept.id, configMap('newer'));
    await target(host, agent, fresh);
    await ok(host.admin.delete(`/stacks/${lost.id}`));
    expect(await agent.assignments()).toEqual(before);
    await setStatus(agent, 'ACTIVE');
    const after = await agent.assignments();
    expect([kept, lost, fresh].map(({ id }) => after.get(id)?.state)).toEqual(['assigned', 'withdrawn', 'assigned']);
    expect(after.get(kept.id)?.sequence_id).toBeGreaterThan(before.get(kept.id)?.sequence_id ?? 0);
  });

  test('an inactive agent does not see an unfinished withdrawal until it is ACTIVE again', async () => {
    const agent = await makeAgent(host, { generators: [generator] });
    const stack = await makeStack(host, generator, { yaml: configMap('one') });
    await target(host, agent, stack);
    await agent.assignments();
    await ok(host.admin.delete(`/stacks/${stack.id}`));
    expect((await agent.assignments()).get(stack.id)?.state).toBe('withdrawn');
    await setStatus(agent, 'PAUSED');
    expect((await agent.assignments()).has(stack.id)).toBe(false);
    await setStatus(agent, 'ACTIVE');
    expect((await agent.assignments()).get(stack.id)?.state).toBe('withdrawn');
  });

  test('an inactive agent may still report, send heartbeats and read its target state', async () => {
    const agent = await makeAgent(host, { generators: [generator], status: 'INACTIVE' });
    const stack = await makeStack(host, generator, { yaml: configMap('one') });
    await target(host, agent, stack);
    expect(await report(agent, stack.deploymentObjectId)).toMatchObject({ status: 201 });
    expect(await agent.api.post(`/agents/${agent.id}/heartbeat`)).toMatchObject({ status: 204 });
    expect(await ok(agent.api.get(`/agents/${agent.id}/target-state`))).toHaveLength(1);
  });
});

test("a new agent is INACTIVE, and registered once with the system's generator and each given generator", async () => {
  const { system_generator_id } = host.app.services.installation;
  const generator_ids = [generator.id, generator.id.toUpperCase()];
  const { agent } = await ok(host.admin.post('/agents', { name: unique('a'), cluster_name: 'c', generator_ids, status: 'ACTIVE' }));
  expect(agent).toMatchObject({ status: 'INACTIVE', last_heartbeat: null, k8s_reachable: null, deleted_at: null });
  const registrations = await ok(host.admin.get(`/agents/${agent.id}/registrations`));
  const ids = registrations.map(({ generator_id }: { generator_id: string }) => generator_id);
  expect(ids.sort()).toEqual([system_generator_id, generator.id].sort());
});

test("a new agent is registered with the admin's generator only if it is given", async () => {
  const { admin_generator_id, system_generator_id } = host.app.services.installation;
  const generator_ids = [admin_generator_id];
  const { agent } = await ok(host.admin.post('/agents', { name: unique('a'), cluster_name: 'c', generator_ids }));
  const registrations = await ok(host.admin.get(`/agents/${agent.id}/registrations`));
  const ids = registrations.map(({ generator_id }: { generator_id: string }) => generator_id);
  expect(ids.sort()).toEqual([system_generator_id, admin_generator_id].sort());
});

test('an agent is not created if one of its generators is unknown', async () => {
  const name = unique('half');
  const { system_generator_id } = host.app.services.installation;
  for (const generator_ids of [[crypto.randomUUID()], [generator.id, system_generator_id]]) {
    const answer = await host.admin.post('/agents', { name, cluster_name: 'c', generator_ids });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_generator_id' } });
  }
  expect(await host.admin.post('/agents', { name, cluster_name: 'c', generator_ids: null })).toMatchObject({ status: 422 });
  expect(await host.admin.get(`/agents/?name=${name}&cluster_name=c`)).toMatchObject({ status: 404 });
  expect(await host.admin.post('/agents', { name, cluster_name: 'c' })).toMatchObject({ status: 201 });
});

describe('a heartbeat', () => {
  const seen = async (body?: unknown, contentType?: string) => {
    const agent = await makeAgent(host);
    const answer = await agent.api.post(`/agents/${agent.id}/heartbeat`, body, contentType === undefined ? {} : { contentType });
    expect(answer).toMatchObject({ status: 204, text: '' });
    return ok(agent.api.get(`/agents/${agent.id}`));
  };
  const alive = { last_heartbeat: expect.any(String), status: 'ACTIVE' };
  const unknown = { k8s_reachable: null, k8s_api_latency_ms: null, k8s_reported_at: null };
  const CASES: readonly { what: string; body: unknown; expected: object }[] = [
    { what: 'without a body', body: undefined, expected: unknown },
    { what: 'with an empty body', body: {}, expected: unknown },
    {
      what: 'of an agent that reaches its cluster',
      body: { k8s_reachable: true, k8s_api_latency_ms: 9 },
      expected: { k8s_reachable: true, k8s_api_latency_ms: 9, k8s_reported_at: expect.any(String) },
    },
    { what: 'with only a latency, which is ignored,', body: { k8s_api_latency_ms: 9 }, expected: unknown },
    {
      what: 'of an agent that does not reach its cluster',
      body: { k8s_reachable: false, k8s_api_latency_ms: 9 },
      expected: { k8s_reachable: false, k8s_api_latency_ms: null },
    },
    { what: 'with a malformed member', body: { k8s_reachable: 'perhaps' }, expected: unknown },
  ];
  test.each(CASES)('a heartbeat $what is accepted and stored', async ({ body, expected }) => {
    expect(await seen(body)).toMatchObject({ ...alive, ...expected });
  });
  test.each(['{', 'alive!', '[1]'])('a heartbeat with the body %s is accepted', async (text) => {
    expect(await seen(text, 'text/plain')).toMatchObject({ ...alive, ...unknown });
  });
  test('a heartbeat clears the latency if the cluster is out of reach, and never changes the status', async () => {
    const agent = await makeAgent(host, { status: 'DRAINING' });
    await ok(agent.api.post(`/agents/${agent.id}/heartbeat`, { k8s_reachable: true, k8s_api_latency_ms: 9 }));
    clock.pass(60_000);
    await ok(agent.api.post(`/agents/${agent.id}/heartbeat`, { k8s_reachable: false }));
    expect(await ok(agent.api.get(`/agents/${agent.id}`))).toMatchObject({
      status: 'DRAINING',
      k8s_reachable: false,
      k8s_api_latency_ms: null,
    });
  });
});

test("an admin's GET of an agent's assignments does not count as told to the agent", async () => {
  const agent = await makeAgent(host, { generators: [generator] });
  const stack = await makeStack(host, generator, { yaml: configMap('one') });
  await target(host, agent, stack);
  expect(await ok(host.admin.get(`/agents/${agent.id}/assignments`))).toMatchObject({ assignments: [{ stack_id: stack.id }] });
  await setStatus(agent, 'INACTIVE');
  expect(await agent.assignments()).toEqual(new Map());
});
