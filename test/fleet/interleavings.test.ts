import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Write } from '../../lib/platform/database/database.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { configMap, type MadeAgent, type MadeGenerator, makeAgent, makeGenerator, makeStack, ok, target } from './fleet-builder.ts';
import { justBefore as interrupt } from './interrupted-store.ts';

let host: TestHost;
let generator: MadeGenerator;
let agent: MadeAgent;
let stack: Awaited<ReturnType<typeof makeStack>>;
beforeEach(async () => {
  host = await startTestHost();
  generator = await makeGenerator(host);
  agent = await makeAgent(host, { generators: [generator] });
  stack = await makeStack(host, generator, { yaml: configMap('one') });
});
afterEach(() => host.stop());

const justBefore = (type: string, happens: () => Promise<unknown>) => interrupt(host.app.services.database, type, happens);

const addTarget = () => host.admin.post(`/agents/${agent.id}/targets`, { agent_id: agent.id, stack_id: stack.id });
const targets = async () => ok(host.admin.get(`/agents/${agent.id}/targets`));
const deregister = () => ok(agent.api.delete(`/generators/${generator.id}/register`, {}));

test('a target added while the agent deregisters does not outlive the registration', async () => {
  justBefore('target', deregister);
  expect(await addTarget()).toMatchObject({ status: 403, body: { code: 'agent_not_registered' } });
  expect(await targets()).toEqual([]);
});

test('a target that is added after the deregistration began does not outlive the registration', async () => {
  justBefore('SELECT#REGISTRATION', () => ok(addTarget()));
  await deregister();
  expect(await targets()).toEqual([]);
  expect((await agent.assignments()).get(stack.id)?.state).not.toBe('assigned');
});

test('a target added while its stack is deleted is refused, and leaves nothing', async () => {
  justBefore('target', () => ok(host.admin.delete(`/stacks/${stack.id}`)));
  expect(await addTarget()).toMatchObject({ status: 404, body: { code: 'stack_not_found' } });
  expect(await targets()).toEqual([]);
});

test('a target, a label and a registration of an agent that is deleted meanwhile are refused, and are no internal error', async () => {
  const remove = (id: string) => ok(host.admin.delete(`/agents/${id}`));
  justBefore('target', () => remove(agent.id));
  expect([403, 404, 422]).toContain((await addTarget()).status);
  const [second, third] = [await makeAgent(host), await makeAgent(host)];
  justBefore('agent-label', () => remove(second.id));
  expect(await host.admin.post(`/agents/${second.id}/labels`, { agent_id: second.id, label: 'l' })).toMatchObject({ status: 422 });
  justBefore('registration', () => remove(third.id));
  const answer = await host.admin.post(`/generators/${generator.id}/register`, { agent_id: third.id });
  expect(answer).toMatchObject({ status: 422, body: { code: 'foreign_key_violation' } });
  expect(JSON.stringify(await ok(host.admin.get(`/generators/${generator.id}/registered-agents`)))).not.toContain(third.id);
});

test('a deployment object that is submitted while its stack is deleted is answered with 404 and assigned to no agent', async () => {
  await target(host, agent, stack);
  const before = await agent.assignments();
  justBefore('object', () => ok(host.admin.delete(`/stacks/${stack.id}`)));
  expect(await host.admin.post(`/stacks/${stack.id}/deployment-objects`, { yaml_content: configMap('two') })).toMatchObject({
    status: 404,
    body: { code: 'stack_not_found' },
  });
  expect((await agent.assignments()).get(stack.id)).toEqual({ ...before.get(stack.id), state: 'withdrawn' });
});

test('a poll that reads during a change gets an ETag that is stale at once', async () => {
  await target(host, agent, stack);
  const { database } = host.app.services;
  const { write } = database;
  database.write = async (one: Write) => {
    if ('put' in one && one.put.type === 'told') {
      database.write = write;
      await ok(host.admin.post(`/stacks/${stack.id}/deployment-objects`, { yaml_content: configMap('two') }));
    }
    return write(one);
  };
  const { headers } = await agent.api.get(`/agents/${agent.id}/assignments`);
  const again = await agent.api.get(`/agents/${agent.id}/assignments`, { headers: { 'if-none-match': headers.etag } });
  expect(again.status).toBe(200);
});

test('two renames of a stack at once leave it with one name, and the other name is free', async () => {
  const whole = { ...stack, created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z' };
  const rename = (name: string) => host.admin.put(`/stacks/${stack.id}`, { ...whole, name });
  justBefore('stack-name', () => ok(rename('first')));
  expect(await rename('second')).toMatchObject({ status: 200, body: { name: 'second' } });
  for (const name of ['first', stack.name]) {
    expect(await host.admin.post('/stacks', { name, generator_id: generator.id })).toMatchObject({ status: 201 });
  }
  expect(await host.admin.post('/stacks', { name: 'second', generator_id: generator.id })).toMatchObject({ status: 409 });
});

test('a stack or a registration that is made while its generator is deleted is not left behind', async () => {
  const deletion = (made: MadeGenerator) => () => ok(host.admin.delete(`/generators/${made.id}`));
  const [first, second, third, fourth] = await Promise.all([1, 2, 3, 4].map(() => makeGenerator(host)));
  if (!first || !second || !third || !fourth) throw new Error('not made');
  const cluster_name = 'interleaved';

  justBefore('stack', deletion(first));
  expect(await first.api.post('/stacks', { name: 'late', generator_id: first.id })).toMatchObject({ status: 422 });
  justBefore('registration', deletion(second));
  expect(await agent.api.post(`/generators/${second.id}/register`, {})).toMatchObject({
    status: 404,
    body: { code: 'generator_not_found' },
  });
  justBefore('registration', deletion(third));
  expect(await host.admin.post('/agents', { name: 'late', cluster_name, generator_ids: [third.id] })).toMatchObject({
    status: 400,
    body: { code: 'invalid_generator_id' },
  });
  justBefore('stack', deletion(fourth));
  const v1 = host.root.as(host.adminPak);
  expect(await v1.post('/v1/deployments', { name: 'late', generator_id: fourth.id, yaml_content: configMap('late') })).toMatchObject({
    status: 422,
  });
  expect((await ok(host.admin.get('/stacks'))).map(({ name }: { name: string }) => name)).not.toContain('late');
  expect((await ok(host.admin.get('/agents'))).map(({ name }: { name: string }) => name)).not.toContain('late');
  const registrations = await ok(host.admin.get(`/agents/${agent.id}/registrations`));
  expect(registrations.map(({ generator_id }: { generator_id: string }) => generator_id)).not.toContain(second.id);
});
