import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { configMap, makeAgent, makeGenerator, makeStack, makeTenant, ok, report, submit, type Tenant, target } from './fleet-builder.ts';

let host: TestHost;
let owner: Tenant;
let stranger: Tenant;
beforeAll(async () => {
  host = await startTestHost();
  [owner, stranger] = await Promise.all([makeTenant(host), makeTenant(host)]);
});
afterAll(() => host.stop());

const FORGED = { status: 'FAILURE', message: 'forged' };

describe('a report on a stack that the agent was never told to run', () => {
  const agents: [who: string, agent: () => Tenant['agent']][] = [
    ["by another tenant's agent", () => stranger.agent],
    ["by the same tenant's agent without labels", () => colleague],
  ];
  let colleague: Tenant['agent'];
  beforeAll(async () => {
    colleague = await makeAgent(host, { generators: [owner.generator] });
  });

  test.each(agents)('the report is refused: %s', async (_who, agent) => {
    const forged = await report(agent(), owner.object.id, FORGED);
    const unknown = await report(agent(), '00000000-0000-4000-8000-000000000000', FORGED);
    expect([forged.status, forged.text]).toEqual([422, unknown.text]);
    const v1 = { deployment_id: owner.stack.id, deployment_object_id: owner.object.id, event_type: 'DEPLOY', ...FORGED };
    const root = host.root.as(agent().pak);
    expect((await root.post('/v1/events', v1)).status).toBe(422);
    const { text } = await host.root.as(owner.generator.pak).get(`/v1/events/${owner.stack.id}`);
    expect(text).not.toContain('forged');
  });
});

describe('a report on a stack that the agent was told to run', () => {
  async function withAgent() {
    const generator = await makeGenerator(host);
    const [agent, stack] = await Promise.all([
      makeAgent(host, { generators: [generator] }),
      makeStack(host, generator, { yaml: configMap('one') }),
    ]);
    await target(host, agent, stack);
    await agent.assignments();
    return { agent, stack, generator };
  }
  const untarget = ({ agent, stack }: Awaited<ReturnType<typeof withAgent>>) =>
    ok(host.admin.delete(`/agents/${agent.id}/targets/${stack.id}`));

  test('a late report is accepted after the stack was withdrawn from the agent', async () => {
    const world = await withAgent();
    await untarget(world);
    expect((await report(world.agent, world.stack.deploymentObjectId)).status).toBe(201);
  });

  test('a late report is accepted after the stack was removed', async () => {
    const { agent, stack } = await withAgent();
    await ok(host.admin.delete(`/stacks/${stack.id}`));
    expect((await report(agent, stack.deploymentObjectId)).status).toBe(201);
    await agent.assignments();
    expect((await report(agent, stack.deploymentObjectId, { event_type: 'REMOVE' })).status).toBe(201);
  });

  test('a repeated report is accepted after the agent confirmed the removal', async () => {
    const world = await withAgent();
    await untarget(world);
    await world.agent.assignments();
    const removal = { event_type: 'REMOVE' };
    expect((await report(world.agent, world.stack.deploymentObjectId, removal)).status).toBe(201);
    expect((await world.agent.assignments()).size).toBe(0);
    expect((await report(world.agent, world.stack.deploymentObjectId, removal)).status).toBe(201);
    expect((await report(world.agent, world.stack.deploymentObjectId, { status: 'FAILURE' })).status).toBe(201);
  });

  test('a report on a deployment object that came after the withdrawal is refused', async () => {
    const world = await withAgent();
    expect((await report(world.agent, world.stack.deploymentObjectId)).status).toBe(201);
    await untarget(world);
    const later = await submit(host, world.stack.id, configMap('two'));
    expect((await report(world.agent, later.id, FORGED)).status).toBe(422);
  });

  test('an admin reports for every agent, a generator for none', async () => {
    const { agent, stack, generator } = await withAgent();
    const body = { agent_id: agent.id, deployment_object_id: stack.deploymentObjectId, event_type: 'DEPLOY', status: 'SUCCESS' };
    expect((await host.admin.post(`/agents/${agent.id}/events`, body)).status).toBe(201);
    expect((await generator.api.post(`/agents/${agent.id}/events`, body)).status).toBe(403);
    await ok(host.admin.delete(`/agents/${agent.id}`));
    expect((await host.admin.post(`/agents/${agent.id}/events`, body)).status).toBe(422);
  });
});
