import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Api } from '../harness/client.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { configMap, type MadeAgent, type MadeGenerator, makeAgent, makeGenerator, ok, submit, target, unique } from './fleet-builder.ts';

let host: TestHost;
let generator: MadeGenerator;
let agent: MadeAgent;
let v1: { admin: Api; generator: Api; agent: Api };
let deployment: Awaited<ReturnType<typeof ok>>;
beforeAll(async () => {
  host = await startTestHost();
});
afterAll(() => host.stop());
beforeEach(async () => {
  generator = await makeGenerator(host);
  agent = await makeAgent(host, { generators: [generator] });
  v1 = { admin: host.root.as(host.adminPak), generator: host.root.as(generator.pak), agent: host.root.as(agent.pak) };
  deployment = await ok(v1.generator.post('/v1/deployments', { name: unique('d'), description: 'first', yaml_content: configMap('one') }));
});

test('a deployment is a stack with its newest deployment object', async () => {
  const stack = await ok(generator.api.get(`/stacks/${deployment.id}`));
  const [object] = await ok(generator.api.get(`/stacks/${deployment.id}/deployment-objects`));
  expect(deployment).toEqual({
    id: stack.id,
    name: stack.name,
    description: 'first',
    generator_id: generator.id,
    created_at: stack.created_at,
    updated_at: stack.updated_at,
    deployment_object_id: object.id,
    sequence_id: object.sequence_id,
    yaml_content: configMap('one'),
    yaml_checksum: object.yaml_checksum,
  });
  const newer = await submit(host, deployment.id, configMap('two'));
  expect(await ok(v1.generator.get(`/v1/deployments/${deployment.id}`))).toMatchObject({
    deployment_object_id: newer.id,
    yaml_content: configMap('two'),
  });
});

test('a stack without a deployment object is a deployment without YAML', async () => {
  const stack = await ok(generator.api.post('/stacks', { name: unique('s'), generator_id: generator.id }));
  expect(await ok(v1.generator.get(`/v1/deployments/${stack.id}`))).toMatchObject({
    deployment_object_id: null,
    sequence_id: null,
    yaml_content: null,
  });
});

test('new YAML makes a newer deployment object; a new name or description does not', async () => {
  const path = `/v1/deployments/${deployment.id}`;
  const renamed = await ok(v1.generator.put(path, { name: unique('renamed'), description: null }));
  expect(renamed).toMatchObject({ description: null, deployment_object_id: deployment.deployment_object_id });
  const newer = await ok(v1.generator.put(path, { yaml_content: configMap('two') }));
  expect(newer).toMatchObject({ name: renamed.name, description: null, yaml_content: configMap('two') });
  expect(newer.sequence_id).toBeGreaterThan(deployment.sequence_id);
  expect(await ok(v1.generator.put(path, {}))).toEqual(newer);
});

test('a mistake in the stack or in the YAML changes neither', async () => {
  const path = `/v1/deployments/${deployment.id}`;
  expect(await v1.generator.put(path, { name: 'renamed', yaml_content: 'a: [' })).toMatchObject({
    status: 400,
    body: { code: 'invalid_deployment_object' },
  });
  expect(await v1.generator.put(path, { name: ' ', yaml_content: 'a: 1' })).toMatchObject({ status: 400, body: { code: 'invalid_stack' } });
  expect(await ok(v1.generator.get(path))).toEqual(deployment);
  const name = unique('never');
  expect(await v1.generator.post('/v1/deployments', { name, yaml_content: 'a: [' })).toMatchObject({ status: 400 });
  expect(await v1.generator.post('/v1/deployments', { name: deployment.name, yaml_content: 'a: 1' })).toMatchObject({ status: 409 });
  expect(await ok(generator.api.get('/stacks'))).toHaveLength(1);
});

test("an admin's deployment belongs to the admin generator if it names none", async () => {
  const made = await ok(v1.admin.post('/v1/deployments', { name: unique('d'), yaml_content: 'a: 1' }));
  expect(made.generator_id).toBe(host.app.services.installation.admin_generator_id);
  expect(await v1.generator.post('/v1/deployments', { name: 'x', yaml_content: 'a: 1', generator_id: made.generator_id })).toMatchObject({
    status: 403,
  });
  const unknown = { name: 'x', yaml_content: 'a: 1', generator_id: crypto.randomUUID() };
  expect(await v1.admin.post('/v1/deployments', unknown)).toMatchObject({ status: 422, body: { code: 'foreign_key_violation' } });
});

describe('an agent reports on a deployment', () => {
  const tell = (change: object = {}) => v1.agent.post('/v1/events', { deployment_id: deployment.id, status: 'SUCCESS', ...change });

  test('an agent reports on the newest deployment object of a deployment that it runs, and its owner reads the report', async () => {
    await target(host, agent, deployment);
    const event = await ok(tell({ message: 'ok' }));
    expect(event).toMatchObject({
      agent_id: agent.id,
      deployment_object_id: deployment.deployment_object_id,
      event_type: 'DEPLOY',
      message: 'ok',
    });
    const newer = await submit(host, deployment.id, configMap('two'));
    const second = await ok(tell({ status: 'FAILURE' }));
    expect(second.deployment_object_id).toBe(newer.id);
    const events = await ok(v1.generator.get(`/v1/events/${deployment.id}`));
    expect(new Set(events.map(({ id }: { id: string }) => id))).toEqual(new Set([event.id, second.id]));
  });

  test('an agent reports on an older deployment object by its id, also after it lost the stack', async () => {
    await target(host, agent, deployment);
    await agent.assignments();
    await submit(host, deployment.id, configMap('two'));
    await ok(host.admin.delete(`/agents/${agent.id}/targets/${deployment.id}`));
    const event = await ok(tell({ deployment_object_id: deployment.deployment_object_id, event_type: 'REMOVE' }));
    expect(event).toMatchObject({ deployment_object_id: deployment.deployment_object_id, event_type: 'REMOVE' });
  });

  test('a report on a deployment that the agent does not run, or on a deployment object of another deployment, is refused', async () => {
    const refusal = { status: 422, body: { code: 'foreign_key_violation' } };
    expect(await tell()).toMatchObject(refusal);
    await target(host, agent, deployment);
    const other = await ok(v1.generator.post('/v1/deployments', { name: unique('d'), yaml_content: 'a: 1' }));
    expect(await tell({ deployment_object_id: other.deployment_object_id })).toMatchObject(refusal);
    expect(await tell({ deployment_id: crypto.randomUUID() })).toMatchObject(refusal);
  });
});

test('a deleted deployment is a deleted stack', async () => {
  await ok(v1.generator.delete(`/v1/deployments/${deployment.id}`));
  expect(await v1.generator.get(`/v1/deployments/${deployment.id}`)).toMatchObject({ status: 404, body: { code: 'stack_not_found' } });
  expect(await generator.api.get(`/stacks/${deployment.id}`)).toMatchObject({ status: 404 });
  expect(await v1.generator.delete(`/v1/deployments/${deployment.id}`)).toMatchObject({ status: 404 });
});

test('an agent that was created through the v1 API is an agent like any other', async () => {
  const { agent: made, initial_pak } = await ok(
    v1.admin.post('/v1/agents/register', { name: unique('a'), cluster_name: 'c', generator_ids: [generator.id] }),
  );
  expect(await ok(host.admin.get(`/agents/${made.id}`))).toEqual(made);
  expect(await ok(host.root.as(initial_pak).get(`/v1/agents/${made.id}`))).toEqual(made);
  expect(await v1.admin.delete(`/v1/agents/${made.id}`)).toMatchObject({ status: 204 });
  expect(await host.admin.get(`/agents/${made.id}`)).toMatchObject({ status: 404 });
});
