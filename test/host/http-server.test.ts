import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { httpGroups } from '../../functions/registry.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { raw as rawHttp } from './raw-http.ts';

let host: TestHost;
let agentId: string;
beforeAll(async () => {
  host = await startTestHost();
  const { body } = await host.admin.post('/agents', { name: 'a', cluster_name: 'c' });
  agentId = body.agent.id;
});
afterAll(() => host.stop());

const raw = (bytes: string) => rawHttp(host.url, bytes);

test('an idle poll is answered with 304 and no body', async () => {
  const { body } = await host.admin.post('/agents', { name: 'poller', cluster_name: 'c' });
  const agent = host.anonymous.as(body.initial_pak);
  const first = await agent.get(`/agents/${body.agent.id}/assignments`);
  const again = await agent.get(`/agents/${body.agent.id}/assignments`, { headers: { 'if-none-match': first.headers.etag } });
  expect([first.status, again.status, again.text]).toEqual([200, 304, '']);
});

test('every answer has a request id of its own', async () => {
  const [one, other] = await Promise.all([host.root.get('/healthz'), host.root.get('/healthz')]);
  expect(one.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  expect(one.headers['x-request-id']).not.toBe(other.headers['x-request-id']);
});

test('HEAD is answered as GET without the body', async () => {
  const head = await host.root.head('/healthz');
  expect([head.status, head.headers['content-type'], head.text]).toEqual([200, 'text/plain; charset=utf-8', '']);
});

test.each(['/nope', '/api/nope', '/api/v1/nope', '/internal/nope', '/api/v1', '/swagger-ui/nope.js', '/healthz/', '/%', '//'])(
  'the unknown path %s is answered with a 404 in plain text',
  async (path) => {
    for (const method of ['GET', 'POST']) {
      const answer = await host.root.send(method, path);
      expect({ method, status: answer.status }).toEqual({
        method,
        status: path === '/swagger-ui/nope.js' && method === 'POST' ? 405 : 404,
      });
      if (answer.status === 404) expect([answer.headers['content-type'], answer.text]).toEqual(['text/plain; charset=utf-8', 'not found']);
    }
  },
);

test('a wrong method is answered with 405 and the allowed ones, or with 401 without a key', async () => {
  const refused = await host.admin.patch('/agents');
  expect([refused.status, refused.headers.allow, refused.text]).toEqual([405, 'GET, HEAD, POST', '']);
  expect((await host.anonymous.patch('/agents')).status).toBe(401);
  expect((await host.root.delete('/healthz')).status).toBe(405);
});

test('a method of HTTP that the API does not use is answered with 405', async () => {
  expect((await host.root.send('LOCK', '/healthz')).status).toBe(405);
  expect((await host.root.send('PROPFIND', '/healthz')).status).toBe(405);
});

test('an encoded slash in a path belongs to its segment', async () => {
  expect((await host.admin.post(`/agents/${agentId}/labels`, { agent_id: agentId, label: 'team/red' })).status).toBe(201);
  expect((await host.admin.delete(`/agents/${agentId}/labels/team%2Fred`)).status).toBe(204);
});

test('a path segment that cannot be decoded is refused by its operation as a bad parameter', async () => {
  expect((await host.admin.get('/agents/%zz')).status).toBe(400);
  expect((await host.anonymous.get('/agents/%zz')).status).toBe(401);
});

test('the search of agents with a trailing slash and their list without it are two operations', async () => {
  const found = await host.admin.get('/agents/?name=a&cluster_name=c');
  expect([found.status, found.body.id]).toEqual([200, agentId]);
  expect((await host.admin.get('/agents')).body).toHaveLength(2);
});

test('a request in absolute form is answered for the path in it', async () => {
  const { host: authority } = new URL(host.url);
  const to = (target: string) => raw(`GET ${target} HTTP/1.1\r\nHost: ${authority}\r\nConnection: close\r\n\r\n`);
  expect(await to(`http://${authority}/healthz?x=1`)).toMatch(/^HTTP\/1\.1 200 .*OK$/s);
  expect(await to(`http://${authority}`)).toMatch(/^HTTP\/1\.1 200 /);
});

test('a body that is not UTF-8 arrives unchanged and is refused for that reason', async () => {
  const bytes = Buffer.from([0x22, 0xff, 0xfe, 0x22]);
  const refused = await host.admin.post('/agents', bytes, { contentType: 'application/json' });
  expect([refused.status, refused.body.code]).toEqual([400, 'invalid_encoding']);
});

test.each(['', 'nonsense', 'text/html; charset=', 'application/'])(
  'the content type %j is refused after the key was checked',
  async (contentType) => {
    expect((await host.admin.post('/agents', '{}', { contentType })).status).toBe(415);
    expect((await host.anonymous.post('/agents', '{}', { contentType })).status).toBe(401);
  },
);

test('no two functions share a path, because API Gateway routes by path', () => {
  const owners = httpGroups.flatMap(({ name, endpoints }) =>
    [...new Set(endpoints.map(({ path }) => path))].map((path) => ({ path, name })),
  );
  expect(owners.filter(({ path }, index) => owners.findIndex((other) => other.path === path) !== index)).toEqual([]);
});
