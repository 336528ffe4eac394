import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../database/test-queues.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { data } from '../identity/account-builder.ts';
import { standingClock } from './limits/usage-store.ts';
import { newProjectKey, type ProjectKey } from './project-key.ts';

let host: TestHost;
beforeAll(async () => {
  host = await startTestHost();
}, 30_000);
afterAll(() => host.stop());

const sendTo = ({ url }: TestHost, path: string, key: string | undefined, body: string, headers: Record<string, string> = {}) =>
  fetch(`${url}/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key !== undefined && { authorization: `Bearer ${key}` }), ...headers },
    body,
  });
const send = (path: string, key: string, body: string, headers?: Record<string, string>) => sendTo(host, path, key, body, headers);
const chat = JSON.stringify({ model: 'simulated/echo', messages: [{ role: 'user', content: 'hi' }] });

const recordsOf = async ({ account }: ProjectKey): Promise<Record<string, unknown>[]> =>
  data(await account.api.get('/analytics/requests?limit=100'));

test('a refused call leaves one record with its operation, whatever it was refused for', async () => {
  const key = await newProjectKey(host);
  const reader = await newProjectKey(host, { scopes: ['read:metrics'] });
  const paths = ['/chat/completions', '/completions', '/embeddings', '/responses', '/messages'];
  for (const path of paths) expect((await send(path, key.key, '{"model":"m"')).status).toBe(400);
  expect((await send('/chat/completions', key.key, '{"model":4}')).status).toBe(400);
  expect((await send('/messages', key.key, '{}', { 'content-type': 'text/plain' })).status).toBe(415);
  expect((await send('/embeddings', key.key, '{"model":"nobody/has-it","input":"a"}')).status).toBe(404);
  expect((await send('/responses', reader.key, '{}')).status).toBe(403);
  await send('/messages/count_tokens', key.key, '{}');
  await send('/unknown', key.key, '{}');
  await eventually(async () => {
    const found = await recordsOf(key);
    expect(found.map(({ status_code, outcome }) => `${status_code} ${outcome}`).sort()).toEqual([
      ...Array.from({ length: 6 }, () => '400 error'),
      '404 error',
      '415 error',
    ]);
    expect(await recordsOf(reader)).toMatchObject([{ status_code: 403, outcome: 'error' }]);
  }, 20_000);
}, 30_000);

test('callers whom nobody knows are counted by their address, and every answer says so', async () => {
  // One process has one composition at a time: that of the host that was started last.
  const counting = await startTestHost({ clock: standingClock(Date.now()), config: { BROKKR_RATE_LIMITS: 'on' } });
  const send = (path: string, key: string | undefined) => sendTo(counting, path, key, chat);
  const wrong = await send('/chat/completions', `bk_${'x'.repeat(40)}`);
  expect(wrong.status).toBe(401);
  const missing = await send('/chat/completions', undefined);
  expect(missing.status).toBe(401);
  expect(Number(missing.headers.get('x-ratelimit-remaining'))).toBe(Number(wrong.headers.get('x-ratelimit-remaining')) - 1);
  for (const { headers } of [wrong, missing]) {
    for (const name of ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset']) {
      expect(headers.get(name)).toEqual(expect.any(String));
    }
  }
  let last = 401;
  for (let tries = 0; tries < 300 && last === 401; tries++) last = (await send('/chat/completions', `bk_${'x'.repeat(40)}`)).status;
  expect(last).toBe(429);
  await counting.stop();
}, 30_000);
