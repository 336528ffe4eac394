import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { endpoints, pathOf } from '../contract/endpoint-calls.ts';
import { makeTenant, ok, type Tenant, unique } from '../fleet/fleet-builder.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { raw } from './raw-http.ts';

let host: TestHost;
let tenant: Tenant;
beforeAll(async () => {
  host = await startTestHost({ trustedProxies: 1 });
  tenant = await makeTenant(host);
});
afterAll(() => host.stop());

test('every answer forbids browsers to guess its type', async () => {
  // A request for the reference would build it.
  const reads = endpoints.filter(({ method, path }) => method === 'GET' && path !== '/api');
  const paths = reads.map((endpoint) => pathOf(endpoint, tenant));
  for (const path of [...paths, '/nowhere']) {
    for (const api of [host.root, host.root.as(host.adminPak)]) {
      const { headers } = await api.get(path);
      expect([path, headers['x-content-type-options']]).toEqual([path, 'nosniff']);
    }
  }
  expect(await raw(host.url, 'no HTTP\r\n\r\n')).toContain('X-Content-Type-Options: nosniff');
});

describe('an answer with a key', () => {
  const agent = () => ({ name: unique('agent'), cluster_name: unique('cluster') });
  test.each([
    ['a new agent', () => host.admin.post('/agents', agent())],
    ['an agent of the first generation', () => host.root.as(host.adminPak).post('/v1/agents/register', agent())],
    ['a new generator', () => host.admin.post('/generators', { name: unique('generator') })],
    ["an agent's new key", () => host.admin.post(`/agents/${tenant.agent.id}/rotate-pak`)],
    ["a generator's new key", () => host.admin.post(`/generators/${tenant.generator.id}/rotate-pak`)],
  ])('the answer with %s must not be cached', async (_what, call) => {
    const answer = await call();
    expect(answer.text).toContain('brokkr_BR');
    expect(answer.headers['cache-control']).toBe('no-store');
  });
});

test('assignments may be cached with their ETag, and files of pages for an hour', async () => {
  const fresh = await makeTenant(host);
  const assignments = await fresh.agent.api.get(`/agents/${fresh.agent.id}/assignments`);
  expect(assignments.headers['cache-control']).toBe('no-cache');
  expect((await host.root.get('/swagger-ui/start.js')).headers['cache-control']).toBe('public, max-age=3600');
});

describe('HTTPS', () => {
  const hsts = async (of: TestHost, headers: Record<string, string>) =>
    (await of.root.get('/healthz', { headers })).headers['strict-transport-security'];

  test('an answer over HTTPS has an HSTS header, as a trusted proxy reports it', async () => {
    expect(await hsts(host, { 'x-forwarded-proto': 'https' })).toBe('max-age=31536000');
    expect(await hsts(host, { 'x-forwarded-proto': 'http' })).toBeUndefined();
    expect(await hsts(host, {})).toBeUndefined();
    // The proxy adds its own value to the one that the caller has forged.
    expect(await hsts(host, { 'x-forwarded-proto': 'https, http' })).toBeUndefined();
  });

  test('an answer has no HSTS header if only the caller claims HTTPS', async () => {
    const open = await startTestHost();
    expect(await hsts(open, { 'x-forwarded-proto': 'https' })).toBeUndefined();
    await ok(open.admin.get('/agents', { headers: { 'x-forwarded-proto': 'https' } }));
    await open.stop();
  });
});
