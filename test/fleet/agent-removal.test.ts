import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { agentKey } from '../../lib/fleet/fleet-table.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { makeTenant, ok, type Tenant } from './fleet-builder.ts';

let host: TestHost;
let tenant: Tenant;
let id: string;
beforeAll(async () => {
  host = await startTestHost();
});
afterAll(() => host.stop());
beforeEach(async () => {
  tenant = await makeTenant(host);
  id = tenant.agent.id;
  await ok(host.admin.delete(`/agents/${id}`));
});

test('the key of a deleted agent is refused at once', async () => {
  for (const path of [`/agents/${id}/assignments`, `/agents/${id}`, `/agents/${id}/target-state`]) {
    expect(await tenant.agent.api.get(path)).toMatchObject({ status: 401, text: '' });
  }
  expect(await tenant.agent.api.post('/auth/pak')).toMatchObject({ status: 401 });
});

test('a deleted agent is in no list and is not found', async () => {
  const lists = [
    '/agents',
    '/agent-events',
    `/agent-events?pak_id=${tenant.generator.id}`,
    `/generators/${tenant.generator.id}/registered-agents`,
  ];
  for (const path of lists) expect((await host.admin.get(path)).text).not.toContain(id);
  expect((await tenant.generator.api.get('/agents')).text).not.toContain(id);
  for (const part of ['labels', 'annotations', 'targets', 'events', 'stacks', 'target-state']) {
    expect(await host.admin.get(`/agents/${id}/${part}`)).toMatchObject({ status: 200, body: [] });
  }
  for (const path of [`/agents/${id}`, `/agents/${id}/registrations`, `/agents/${id}/assignments`, `/agent-events/${tenant.event.id}`]) {
    expect(await host.admin.get(path)).toMatchObject({ status: 404 });
  }
  expect(await host.admin.get(`/agents/?name=${tenant.agentName}&cluster_name=${tenant.clusterName}`)).toMatchObject({ status: 404 });
  expect((await host.root.as(host.adminPak).get(`/v1/events/${tenant.stack.id}`)).text).not.toContain(id);
});

test('every change of a deleted agent is refused', async () => {
  const unknown = { status: 422, body: { code: 'foreign_key_violation' } };
  expect(await host.admin.post(`/agents/${id}/labels`, { agent_id: id, label: 'l' })).toMatchObject(unknown);
  expect(await host.admin.post(`/agents/${id}/annotations`, { agent_id: id, key: 'k', value: 'v' })).toMatchObject(unknown);
  expect(await host.admin.post(`/generators/${tenant.generator.id}/register`, { agent_id: id })).toMatchObject(unknown);
  const event = { agent_id: id, deployment_object_id: tenant.object.id, event_type: 'DEPLOY', status: 'SUCCESS' };
  expect(await host.admin.post(`/agents/${id}/events`, event)).toMatchObject(unknown);
  expect(await host.admin.put(`/agents/${id}`, { status: 'ACTIVE' })).toMatchObject({ status: 404, body: { code: 'agent_not_found' } });
  expect(await host.admin.post(`/agents/${id}/rotate-pak`)).toMatchObject({ status: 404 });
  expect(await host.admin.delete(`/agents/${id}/labels/agent-label`)).toMatchObject({ status: 404 });
  const aim = { agent_id: id, stack_id: tenant.stack.id };
  expect(await host.admin.post(`/agents/${id}/targets`, aim)).toMatchObject({ status: 403, body: { code: 'agent_not_registered' } });
});

test('deleting a deleted or an unknown agent is no failure', async () => {
  for (const gone of [id, crypto.randomUUID()]) expect(await host.admin.delete(`/agents/${gone}`)).toMatchObject({ status: 204, text: '' });
});

test('a new agent with the name of a deleted one has none of its stacks and another key', async () => {
  const { agent, initial_pak } = await ok(host.admin.post('/agents', { name: tenant.agentName, cluster_name: tenant.clusterName }));
  expect(agent.id).not.toBe(id);
  const heir = host.anonymous.as(initial_pak);
  expect(await ok(heir.get(`/agents/${agent.id}/stacks`))).toEqual([]);
  expect(await tenant.agent.api.get(`/agents/${agent.id}`)).toMatchObject({ status: 401 });
});

describe('a removed agent whose remains are not cleared away yet', () => {
  test('a change of its remains is refused, and is not an internal error', async () => {
    const other = await makeTenant(host);
    const { database } = host.app.services;
    // This is the state between the commit and the clean-up.
    await database.write({ table: 'fleet', delete: agentKey(other.agent.id) });
    const paths = ['labels/agent-label', 'annotations/agent-key', `targets/${other.stack.id}`];
    for (const path of paths) expect([403, 404, 409]).toContain((await host.admin.delete(`/agents/${other.agent.id}/${path}`)).status);
  });
});
