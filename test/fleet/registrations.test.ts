import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { type MadeAgent, type MadeGenerator, makeAgent, makeGenerator, makeStack, ok, target } from './fleet-builder.ts';

let host: TestHost;
let generator: MadeGenerator;
let agent: MadeAgent;
beforeAll(async () => {
  host = await startTestHost();
});
afterAll(() => host.stop());
beforeEach(async () => {
  [generator, agent] = [await makeGenerator(host), await makeAgent(host)];
});
const path = () => `/generators/${generator.id}/register`;
const generatorsOf = async () => {
  const registrations = await ok(agent.api.get(`/agents/${agent.id}/registrations`));
  return registrations.map(({ generator_id }: { generator_id: string }) => generator_id);
};

test('an agent registers itself once, and the generator sees it from then on', async () => {
  expect(await ok(generator.api.get('/agents'))).toEqual([]);
  const registration = await ok(agent.api.post(path(), {}));
  expect(registration).toEqual({
    id: expect.any(String),
    agent_id: agent.id,
    generator_id: generator.id,
    registered_at: expect.any(String),
  });
  expect(await agent.api.post(path(), {})).toMatchObject({ status: 409, body: { code: 'already_registered' } });
  expect(await ok(generator.api.get(`/generators/${generator.id}/registered-agents`))).toEqual([registration]);
  expect((await ok(generator.api.get('/agents'))).map(({ id }: { id: string }) => id)).toEqual([agent.id]);
  expect(await generatorsOf()).toContain(generator.id);
});

test('many registrations at once make one registration', async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, () => agent.api.post(path(), {})));
  expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(7).fill(409)]);
});

test.each(['post', 'delete'] as const)('an agent that names another agent is refused, and neither is changed (%s)', async (method) => {
  const other = await makeAgent(host);
  for (const agent_id of [agent.id, other.id]) await ok(host.admin.post(path(), { agent_id }));
  const before = await ok(host.admin.get(`/generators/${generator.id}/registered-agents`));
  expect(await agent.api[method](path(), { agent_id: other.id })).toMatchObject({ status: 403, body: { code: 'agent_pak_mismatch' } });
  expect(await ok(host.admin.get(`/generators/${generator.id}/registered-agents`))).toEqual(before);
});

test('an agent may name itself', async () => {
  expect(await ok(agent.api.post(path(), { agent_id: agent.id }))).toMatchObject({ agent_id: agent.id });
  await ok(agent.api.delete(path(), { agent_id: agent.id }));
  expect(await generatorsOf()).not.toContain(generator.id);
});

describe("a registration is the agent's consent", () => {
  test.each(['post', 'delete'] as const)('a generator can neither register nor deregister an agent (%s)', async (method) => {
    expect(await generator.api[method](path(), { agent_id: agent.id })).toMatchObject({ status: 403, body: { code: 'forbidden' } });
  });
  test.each(['post', 'delete'] as const)('an admin must name the agent (%s)', async (method) => {
    expect(await host.admin[method](path(), {})).toMatchObject({ status: 400, body: { code: 'missing_agent_id' } });
    expect(await host.admin[method](path(), { agent_id: null })).toMatchObject({ status: 400 });
    expect(await host.admin[method](path(), { agent_id: 'x' })).toMatchObject({
      status: 422,
      body: { message: expect.stringContaining('agent_id') },
    });
  });
  test('both the agent and the generator must exist', async () => {
    const unknown = crypto.randomUUID();
    expect(await host.admin.post(path(), { agent_id: unknown })).toMatchObject({ status: 422, body: { code: 'foreign_key_violation' } });
    expect(await agent.api.post(`/generators/${unknown}/register`, {})).toMatchObject({
      status: 404,
      body: { code: 'generator_not_found' },
    });
  });
  test('a body is required if no query parameter takes its place', async () => {
    expect(await agent.api.post(path())).toMatchObject({ status: 415 });
    expect(await agent.api.delete(path())).toMatchObject({ status: 415 });
    expect(await host.admin.delete(`${path()}?agent_id=${agent.id}`)).toMatchObject({ status: 204 });
    expect(await host.admin.delete(`${path()}?agent_id=x`)).toMatchObject({ status: 400 });
  });
});

test('deregistering an agent that is not registered or unknown is no failure; an unknown generator is not found', async () => {
  expect(await agent.api.delete(path(), {})).toMatchObject({ status: 204, text: '' });
  expect(await host.admin.delete(path(), { agent_id: crypto.randomUUID() })).toMatchObject({ status: 204 });
  expect(await agent.api.delete(`/generators/${crypto.randomUUID()}/register`, {})).toMatchObject({
    status: 404,
    body: { code: 'generator_not_found' },
  });
});

test("a target needs a registration, also for admins, and ends with it; other generators' targets stay", async () => {
  const other = await makeGenerator(host);
  const [stack, theirs] = [await makeStack(host, generator), await makeStack(host, other)];
  const aim = { agent_id: agent.id, stack_id: stack.id };
  for (const api of [host.admin, generator.api]) {
    expect(await api.post(`/agents/${agent.id}/targets`, aim)).toMatchObject({ status: 403, body: { code: 'agent_not_registered' } });
  }
  for (const one of [generator, other]) await ok(agent.api.post(`/generators/${one.id}/register`, {}));
  await target(host, agent, stack);
  await target(host, agent, theirs);
  await ok(agent.api.delete(path(), {}));
  const targets = await ok(agent.api.get(`/agents/${agent.id}/targets`));
  expect(targets.map(({ stack_id }: { stack_id: string }) => stack_id)).toEqual([theirs.id]);
  expect(await host.admin.delete(`/agents/${agent.id}/targets/${stack.id}`)).toMatchObject({
    status: 403,
    body: { code: 'agent_not_registered' },
  });
});

test('a target is refused in the order of the contract: stack, owner, registration, body', async () => {
  const other = await makeGenerator(host);
  const stack = await makeStack(host, generator);
  const add = (api: typeof host.admin, body: object) => api.post(`/agents/${agent.id}/targets`, body);
  const elsewhere = crypto.randomUUID();
  expect(await add(other.api, { agent_id: elsewhere, stack_id: elsewhere })).toMatchObject({
    status: 404,
    body: { code: 'stack_not_found' },
  });
  expect(await add(other.api, { agent_id: elsewhere, stack_id: stack.id })).toMatchObject({
    status: 403,
    body: { code: 'target_generator_mismatch' },
  });
  expect(await add(agent.api, { agent_id: agent.id, stack_id: stack.id })).toMatchObject({
    status: 403,
    body: { code: 'target_create_denied' },
  });
  expect(await add(generator.api, { agent_id: elsewhere, stack_id: stack.id })).toMatchObject({
    status: 403,
    body: { code: 'agent_not_registered' },
  });
  await ok(agent.api.post(path(), {}));
  expect(await add(generator.api, { agent_id: elsewhere, stack_id: stack.id })).toMatchObject({
    status: 400,
    body: { code: 'agent_id_mismatch' },
  });
  expect(await add(generator.api, { agent_id: agent.id, stack_id: stack.id })).toMatchObject({ status: 201 });
  expect(await add(generator.api, { agent_id: agent.id, stack_id: stack.id })).toMatchObject({
    status: 409,
    body: { code: 'unique_violation' },
  });
});

test('a deregistration that ends nothing changes nothing and writes no audit entry', async () => {
  const before = await agent.revision();
  await ok(agent.api.delete(path(), {}));
  expect(await agent.revision()).toBe(before);
  expect(await ok(host.admin.get(`/admin/audit-logs?resource_id=${agent.id}&action=agent.deregistered`))).toMatchObject({ total: 0 });
});

test("nobody can rename the system's generator, and no agent can deregister from it", async () => {
  const { system_generator_id: system } = host.app.services.installation;
  const refused = { status: 403, body: { code: 'system_generator_not_a_tenant' } };
  const generatorOf = await ok(host.admin.get(`/generators/${system}`));
  expect(await host.admin.put(`/generators/${system}`, { ...generatorOf, name: 'renamed' })).toMatchObject(refused);
  expect(await agent.api.delete(`/generators/${system}/register`, {})).toMatchObject(refused);
  expect(await generatorsOf()).toContain(system);
});

test('the deletion of a generator ends every registration with it', async () => {
  await ok(agent.api.post(path(), {}));
  await ok(host.admin.delete(`/generators/${generator.id}`));
  expect(await generatorsOf()).not.toContain(generator.id);
});

describe('lists of tenants and for tenants', () => {
  test('a generator lists its own stacks, an admin all or those of one tenant', async () => {
    const other = await makeGenerator(host);
    const [mine, theirs] = [await makeStack(host, generator), await makeStack(host, other)];
    const ids = async (api: typeof host.admin, query = '') => (await ok(api.get(`/stacks${query}`))).map(({ id }: { id: string }) => id);
    expect(await ids(generator.api)).toEqual([mine.id]);
    // The admin's filter doesn't show a generator another tenant's stacks.
    expect(await ids(generator.api, `?pak_id=${other.id}`)).toEqual([mine.id]);
    expect(await ids(host.admin)).toEqual(expect.arrayContaining([mine.id, theirs.id]));
    expect(await ids(host.admin, `?pak_id=${other.id}`)).toEqual([theirs.id]);
    expect(await ids(host.admin, `?pak_id=${crypto.randomUUID()}`)).toEqual([]);
    expect(await host.admin.get('/stacks?pak_id=not-a-uuid')).toMatchObject({ status: 400 });
  });

  test('an admin lists the tenants with exactly their ids and names', async () => {
    const paks = await ok(host.admin.get('/paks'));
    const { name } = await ok(generator.api.get(`/generators/${generator.id}`));
    expect(paks).toContainEqual({ id: generator.id, name });
    expect(new Set(paks.flatMap((pak: object) => Object.keys(pak)))).toEqual(new Set(['id', 'name']));
  });
});
