import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Agent } from '../../agent/agent.ts';
import { createClusterAgent } from '../../agent/agent.ts';
import type { ControlPlane } from '../../agent/control-plane/control-plane.ts';
import { createHttpControlPlane } from '../../agent/control-plane/http-control-plane.ts';
import { systemClock } from '../../lib/platform/clock.ts';
import { type AgentWorld, configMap, createAgentWorld, TEST_CONFIG, yaml } from './agent-world.ts';
import { type ScriptedControlPlane, startScriptedControlPlane } from './scripted-control-plane.ts';

let server: ScriptedControlPlane;
let controlPlane: ControlPlane;
let world: AgentWorld;
let agent: Agent;
let stack: string;

/** Over a real socket, on the real clock, with an interval that never ends: the tests say when to poll. */
beforeAll(async () => {
  server = await startScriptedControlPlane();
  controlPlane = createHttpControlPlane({ baseUrl: server.url, pak: server.pak, timeoutMs: 250 });
  world = createAgentWorld({ plane: server.model });
  const config = {
    ...TEST_CONFIG,
    brokerUrl: server.url,
    pollingIntervalMs: 3_600_000,
    generatorIds: ['11111111-1111-4111-8111-111111111111'],
  };
  stack = server.model.newStack();
  server.model.post(stack, yaml(configMap('a'), configMap('b')));
  agent = createClusterAgent({ config, cluster: world.cluster, controlPlane, files: world.files, clock: systemClock });
  await agent.start();
  await agent.settled();
});
afterEach(() => server.script.clear());
afterAll(async () => {
  await agent.stop();
  await controlPlane.close();
  await server.close();
});

const cycle = async () => {
  agent.wake();
  await agent.settled();
};

test('an agent joins, registers, pulls, applies and reports with its key', () => {
  expect(world.objects()).toEqual(['ConfigMap/shop/a', 'ConfigMap/shop/b']);
  const paths = server.requests.map(({ method, path }) => `${method} ${path.replaceAll(server.model.agentId, 'ID')}`);
  expect(paths).toEqual(
    expect.arrayContaining([
      'GET /readyz',
      'POST /auth/pak',
      'GET /agents/?name=edge&cluster_name=test',
      'POST /generators/11111111-1111-4111-8111-111111111111/register',
      'GET /agents/ID/assignments',
      'POST /agents/ID/events',
      'POST /agents/ID/heartbeat',
    ]),
  );
  expect(server.requests.every(({ path, headers }) => path === '/readyz' || headers.authorization === `Bearer ${server.pak}`)).toBe(true);
  expect(server.model.events).toMatchObject([{ event_type: 'DEPLOY', status: 'SUCCESS' }]);
});

test('empty pages of pending orders are followed to the first order, but not without end', async () => {
  const path = `/agents/${server.model.agentId}/work-orders/pending`;
  const asked = () => server.requests.filter((request) => request.path.startsWith(path)).map((request) => request.path.slice(path.length));
  server.script.set(`GET ${path}`, { body: '[]', headers: { 'x-next-cursor': 'abc' } });
  const before = asked().length;
  expect(await controlPlane.pendingWorkOrders(server.model.agentId, 7)).toEqual([]);
  expect(asked().slice(before)).toEqual(['?limit=7', ...Array.from({ length: 9 }, () => '?limit=7&cursor=abc')]);
});

test('unchanged assignments are asked for by their ETag and answered without a body', async () => {
  await cycle();
  expect(server.requests.filter(({ path }) => path.includes('/assignments?')).at(-1)?.headers['if-none-match']).toBe(
    `"${server.model.current().revision}"`,
  );
});

const assignmentsOf = (change: Record<string, unknown>) => JSON.stringify({ ...server.model.current(), ...change });

test.each([
  { what: 'an empty list', scripted: () => ({ body: assignmentsOf({ assignments: [] }) }) },
  { what: 'an empty body', scripted: () => ({ body: '' }) },
  { what: 'an empty object', scripted: () => ({ body: '{}' }) },
  { what: 'an empty array', scripted: () => ({ body: '[]' }) },
  { what: 'truncated JSON', scripted: () => ({ body: assignmentsOf({}).slice(0, 60) }) },
  { what: 'a body that is cut', scripted: () => ({ cut: true }) },
  { what: 'HTML with 200', scripted: () => ({ body: '<html><body>Sign in</body></html>', headers: { 'content-type': 'text/html' } }) },
  {
    what: "another agent's state",
    scripted: () => ({ body: assignmentsOf({ agent_id: '22222222-2222-4222-8222-222222222222', assignments: [withdrawn()] }) }),
  },
  {
    what: 'a withdrawal that is half there',
    scripted: () => ({ body: assignmentsOf({ assignments: [{ ...withdrawn(), state: 'gone' }] }) }),
  },
  { what: 'a redirect', scripted: () => ({ status: 302, headers: { location: '/elsewhere' } }) },
  { what: 'an error', scripted: () => ({ status: 500, body: '{"message":"boom"}' }) },
  { what: 'a refusal', scripted: () => ({ status: 401 }) },
  { what: 'a 304 with nothing to compare', scripted: () => ({ status: 304 }) },
  { what: 'silence', scripted: () => ({ hang: true }) },
  { what: 'more than any answer should have', scripted: () => ({ body: `"${'x'.repeat(9 * 1024 * 1024)}"` }) },
])('$what changes nothing in the cluster', async ({ scripted }) => {
  const before = JSON.stringify(world.cluster.all());
  server.model.touch();
  server.script.set(`GET /agents/${server.model.agentId}/assignments`, scripted());
  await cycle();
  expect(JSON.stringify(world.cluster.all())).toBe(before);
  server.script.clear();
  await cycle();
  expect(JSON.stringify(world.cluster.all())).toBe(before);
});

const withdrawn = () => ({ ...server.model.current().assignments[0], state: 'withdrawn' });

test.each([
  { what: 'other contents than assigned', change: { yaml_content: yaml(configMap('evil')) } },
  { what: 'the object of another stack', change: { stack_id: '33333333-3333-4333-8333-333333333333' } },
  { what: 'another object', change: { id: '33333333-3333-4333-8333-333333333333' } },
  { what: 'no contents', change: { yaml_content: undefined } },
])('a body with $what is refused, reported, and changes nothing', async ({ what, change }) => {
  const before = world.objects();
  const other = server.model.newStack();
  const object = server.model.post(other, yaml(configMap('c', { salt: what })));
  server.script.set(`GET /deployment-objects/${object.id}`, { body: JSON.stringify({ ...object, ...change }) });
  await cycle();
  expect(world.objects()).toEqual(before);
  expect(server.model.events.at(-1)).toMatchObject({ deployment_object_id: object.id, status: 'FAILURE' });
  server.model.withdraw(other);
  server.script.clear();
  await cycle();
  expect(world.objects()).toEqual(before);
});

test.each([
  {
    what: "an administrator's key",
    request: 'POST /auth/pak',
    body: { admin: true, agent: null, generator: null, readonly: false },
    message: "not an agent's",
  },
  {
    what: "another agent's key",
    request: 'POST /auth/pak',
    body: { admin: false, agent: '22222222-2222-4222-8222-222222222222', generator: null, readonly: false },
    message: 'belongs to agent 2222',
  },
  { what: 'no such key', request: 'POST /auth/pak', message: 'does not know this key' },
])('with $what an agent does not start', async ({ request, body, message }) => {
  server.script.set(request, body ? { body: JSON.stringify(body) } : { status: 401 });
  const stranger = createAgentWorld({ plane: server.model });
  await expect(stranger.start({}, { controlPlane })).rejects.toThrow(message);
});
