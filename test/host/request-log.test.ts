import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { makeTenant, type Tenant } from '../fleet/fleet-builder.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { raw, rawConnection } from './raw-http.ts';

let host: TestHost;
let tenant: Tenant;
beforeAll(async () => {
  host = await startTestHost();
  tenant = await makeTenant(host);
});
afterAll(() => host.stop());

/** The log lines about requests that `act` has caused. */
async function linesOf(act: () => Promise<unknown>) {
  host.logged.length = 0;
  await act();
  return host.logged.map((line) => JSON.parse(line)).filter(({ event }) => event === 'http_request');
}

test('a request is logged in one line with its caller, endpoint, status and duration', async () => {
  const answers: { headers: Record<string, string>; text: string }[] = [];
  const [line, ...others] = await linesOf(async () => {
    answers.push(await tenant.agent.api.get(`/agents/${tenant.agent.id}/labels`));
  });
  expect(others).toEqual([]);
  expect(line).toMatchObject({
    level: 'info',
    request_id: answers[0]?.headers['x-request-id'],
    surface: 'fleet',
    method: 'GET',
    endpoint: 'agents_list_labels',
    route: '/api/v1/agents/{id}/labels',
    principal: { type: 'agent', id: tenant.agent.id },
    ip: '127.0.0.1',
    status: 200,
    ms: expect.any(Number),
    bytes: answers[0]?.text.length,
  });
});

test.each([
  ['an unknown path', () => host.root.get('/nowhere?key=x'), { status: 404, route: 'unmatched' }],
  ['no key', () => host.anonymous.get('/stacks'), { status: 401, endpoint: 'list_stacks' }],
  ['a refused caller', () => tenant.agent.api.get('/stacks'), { status: 403, principal: { type: 'agent' } }],
  ['a wrong method', () => host.admin.patch('/stacks'), { status: 405, principal: { type: 'admin' } }],
  ['a bad body', () => host.admin.post('/stacks', '{', { contentType: 'application/json' }), { status: 400, endpoint: 'create_stack' }],
  ['a body that is too large', () => host.admin.post('/stacks', 'x'.repeat(300_000), { contentType: 'application/json' }), { status: 413 }],
  ['a preflight', () => host.anonymous.send('OPTIONS', '/stacks'), { status: 200, method: 'OPTIONS' }],
  ['a probe', () => host.root.get('/healthz'), { status: 200, surface: 'system', endpoint: 'healthz' }],
  [
    'a caller that goes away before its body is there',
    async () => {
      const bytes = `POST /api/v1/stacks HTTP/1.1\r\nHost: x\r\nAuthorization: ${host.adminPak}\r\nContent-Length: 100\r\nConnection: close\r\n\r\nhalf`;
      const connection = rawConnection(host.url, bytes);
      connection.socket.once('connect', () => connection.socket.end());
      await connection.closed;
      while (!host.logged.some((line) => line.includes('http_request'))) await new Promise(setImmediate);
    },
    { status: 400, endpoint: 'create_stack' },
  ],
] as const)('one line is logged for %s', async (_what, act, expected) => {
  const lines = await linesOf(act);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject(expected);
});

test('an idle poll is not logged at the level info', async () => {
  const path = `/agents/${tenant.agent.id}/assignments`;
  const { headers } = await tenant.agent.api.get(path);
  expect(await linesOf(() => tenant.agent.api.get(path, { headers: { 'if-none-match': headers.etag } }))).toEqual([]);
});

test('no log line contains a key, wherever a caller puts it', async () => {
  host.logged.length = 0;
  const pak = host.adminPak;
  await host.root.get(`/${pak}?pak=${pak}`, { headers: { authorization: pak, 'user-agent': pak, 'x-api-key': pak } });
  await host.admin.get(`/agents/${pak}`);
  await host.admin.post('/stacks', `{"name": "${pak}`, { contentType: 'application/json' });
  await raw(host.url, `GET /${pak} HTTP/9.9\r\n\r\n`);
  expect(host.logged.filter((line) => line.includes(pak))).toEqual([]);
});
