import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { type MadeAgent, type MadeGenerator, makeAgent, makeGenerator, ok, unique } from './fleet-builder.ts';

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

const REFUSED = { status: 403, body: { code: 'registration_not_allowed' } };
const registerItself = (one: MadeAgent) => one.api.post(`/generators/${generator.id}/register`, {});
async function allow(allowed_agent_ids: readonly string[] | null): Promise<void> {
  const whole = await ok(generator.api.get(`/generators/${generator.id}`));
  expect(await ok(generator.api.put(`/generators/${generator.id}`, { ...whole, allowed_agent_ids }))).toMatchObject({ allowed_agent_ids });
}

describe('agents that may register themselves', () => {
  test('every agent may register itself by default', async () => {
    expect(await ok(generator.api.get(`/generators/${generator.id}`))).toMatchObject({ allowed_agent_ids: null });
    expect(await registerItself(agent)).toMatchObject({ status: 201 });
  });

  test('only agents in the list may register themselves', async () => {
    const stranger = await makeAgent(host);
    await allow([agent.id]);
    expect(await registerItself(stranger)).toMatchObject(REFUSED);
    expect(await registerItself(agent)).toMatchObject({ status: 201 });
  });

  test('an empty list allows no agent, and null allows every agent again', async () => {
    await allow([]);
    expect(await registerItself(agent)).toMatchObject(REFUSED);
    await allow(null);
    expect(await registerItself(agent)).toMatchObject({ status: 201 });
  });

  test('a PUT without the member leaves the list as it is', async () => {
    await allow([agent.id]);
    const { allowed_agent_ids: _, ...older } = await ok(generator.api.get(`/generators/${generator.id}`));
    expect(await ok(generator.api.put(`/generators/${generator.id}`, older))).toMatchObject({ allowed_agent_ids: [agent.id] });
  });

  test('agents that are registered already stay registered', async () => {
    await ok(registerItself(agent));
    await allow([]);
    expect(await ok(generator.api.get('/agents'))).toHaveLength(1);
  });

  test('an admin registers any agent, also at its creation', async () => {
    await allow([]);
    await ok(host.admin.post(`/generators/${generator.id}/register`, { agent_id: agent.id }));
    await makeAgent(host, { generators: [generator] });
    expect(await ok(generator.api.get('/agents'))).toHaveLength(2);
  });

  test('a list at the creation of the generator counts at once', async () => {
    const made = await ok(host.admin.post('/generators', { name: unique('closed'), allowed_agent_ids: [] }));
    expect(made.generator.allowed_agent_ids).toEqual([]);
    expect(await agent.api.post(`/generators/${made.generator.id}/register`, {})).toMatchObject(REFUSED);
  });

  test.each([['no id'], [7]])('a list with something other than agent ids is refused (%s)', async (id) => {
    const whole = await ok(generator.api.get(`/generators/${generator.id}`));
    expect(await generator.api.put(`/generators/${generator.id}`, { ...whole, allowed_agent_ids: [id] })).toMatchObject({ status: 422 });
  });

  test('an agent that registers while the rule changes is registered under the old rule or refused under the new one', async () => {
    const agents = await Promise.all(Array.from({ length: 6 }, () => makeAgent(host)));
    const [answers] = await Promise.all([Promise.all(agents.map(registerItself)), allow([])]);
    for (const { status } of answers) expect([201, 403]).toContain(status);
    expect(await registerItself(await makeAgent(host))).toMatchObject(REFUSED);
  });
});

describe("a tenant never learns another tenant's name:", () => {
  test('a generator is refused every new name, whether another tenant has the name or not', async () => {
    const taken = unique('taken');
    await makeGenerator(host, taken);
    const whole = await ok(generator.api.get(`/generators/${generator.id}`));
    const rename = (name: string) => generator.api.put(`/generators/${generator.id}`, { ...whole, name });
    const [ofAnother, free] = [await rename(taken), await rename(unique('free'))];
    expect(ofAnother).toMatchObject({ status: 403, body: { code: 'admin_required' } });
    expect(free.body).toEqual(ofAnother.body);
    expect(await ok(generator.api.get(`/generators/${generator.id}`))).toEqual(whole);
  });

  test('an admin renames a generator, and gets a conflict for a taken name', async () => {
    const taken = unique('taken');
    await makeGenerator(host, taken);
    const whole = await ok(host.admin.get(`/generators/${generator.id}`));
    const rename = (name: string) => host.admin.put(`/generators/${generator.id}`, { ...whole, name });
    expect(await rename(taken)).toMatchObject({ status: 409, body: { code: 'unique_violation' } });
    const name = unique('free');
    expect(await rename(name)).toMatchObject({ status: 200, body: { name } });
  });
});
