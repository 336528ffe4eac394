import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startTestHost, type TestHost } from '../harness/host.ts';

let host: TestHost;
beforeAll(async () => {
  host = await startTestHost({ config: { BROKKR_CORS_ORIGINS: 'https://console.example.com' } });
});
afterAll(() => host.stop());

const from = (origin: string) => ({ headers: { origin } });

test('a preflight from an allowed origin needs no key and allows every method of the API', async () => {
  const answer = await host.anonymous.send('OPTIONS', '/stacks', undefined, from('https://console.example.com'));
  expect(answer.status).toBe(200);
  expect(answer.headers).toMatchObject({ 'access-control-allow-origin': 'https://console.example.com', vary: 'Origin' });
  expect(answer.headers['access-control-allow-methods']).toContain('PATCH');
});

test('a page of an allowed origin may read every answer, errors included', async () => {
  expect((await host.admin.get('/stacks', from('https://console.example.com'))).headers['access-control-allow-origin']).toBe(
    'https://console.example.com',
  );
  expect((await host.anonymous.get('/stacks', from('https://console.example.com'))).headers['access-control-allow-origin']).toBe(
    'https://console.example.com',
  );
});

test('a page of another origin may read no answer', async () => {
  const answer = await host.admin.get('/stacks', from('https://evil.example.com'));
  expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  expect(answer.headers.vary).toBe('Origin');
});

test('a caller that is not a browser gets no CORS headers', async () => {
  const answer = await host.admin.get('/stacks');
  expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
});

test('probes, metrics and documents may be read by pages of any origin', async () => {
  for (const path of ['/healthz', '/readyz', '/metrics', '/docs/openapi.json', '/']) {
    const { headers } = await host.root.get(path, from('https://evil.example.com'));
    expect([path, headers['access-control-allow-origin']]).toEqual([path, '*']);
  }
  const preflight = await host.root.send('OPTIONS', '/healthz', undefined, from('https://evil.example.com'));
  expect(preflight.headers['access-control-allow-origin']).toBe('*');
});

test('a page may send the headers of the AI SDKs to the dashboard, which the fleet does not take, and asks again after five minutes', async () => {
  const asked = { ...from('https://console.example.com').headers, 'access-control-request-headers': 'x-stainless-lang, x-api-key, x-evil' };
  const dashboard = await host.root.send('OPTIONS', '/api/v1/auth/login', undefined, { headers: asked });
  const allowed = String(dashboard.headers['access-control-allow-headers']).split(', ');
  expect(allowed).toEqual(expect.arrayContaining(['X-API-Key', 'X-Organization-ID', 'Idempotency-Key', 'x-stainless-lang']));
  expect(allowed.filter((name) => name === 'x-evil' || name.includes('*'))).toEqual([]);
  expect(dashboard.headers['access-control-max-age']).toBe('300');
  expect(dashboard.headers['access-control-expose-headers']).toContain('x-ratelimit-remaining-tokens');
  const fleet = await host.anonymous.send('OPTIONS', '/stacks', undefined, { headers: asked });
  expect(fleet.headers).toMatchObject({
    'access-control-max-age': '3600',
    'access-control-allow-headers': 'Authorization, Content-Type, If-None-Match',
  });
});
