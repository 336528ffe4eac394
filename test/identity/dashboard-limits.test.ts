import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { api } from '../harness/client.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { makeAccount, refusal } from './account-builder.ts';
import { type TurningClock, turningClock } from './turning-clock.ts';

let host: TestHost;
let clock: TurningClock;
beforeAll(async () => {
  clock = turningClock();
  host = await startTestHost({ clock, config: { BROKKR_RATE_LIMITS: 'on' } });
});
afterAll(() => host.stop());

/** Goes to the beginning of the next minute. */
const nextMinute = () => clock.turn(60_000 - (clock.nowMs() % 60_000));

test('a user has the requests of his plan in a minute, each answer says what remains, and the next minute is whole again', async () => {
  const account = await makeAccount(host);
  nextMinute();
  const first = await account.api.get('/organizations');
  expect(first).toMatchObject({ status: 200, headers: { 'x-ratelimit-limit': '100', 'x-ratelimit-remaining': '99' } });
  expect(Number(first.headers['x-ratelimit-reset']) * 1_000).toBeGreaterThan(clock.nowMs());
  const answers = await Promise.all(Array.from({ length: 100 }, () => account.api.get('/organizations')));
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused).toHaveLength(1);
  const [answer] = refused;
  if (!answer) throw new Error('no refusal');
  expect(refusal(answer)).toMatchObject({ type: 'RATE_LIMITED', code: 'RATE_LIMIT_EXCEEDED' });
  expect(answer.headers).toMatchObject({ 'x-ratelimit-limit': '100', 'x-ratelimit-remaining': '0' });
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  expect(Number(answer.headers['retry-after-ms'])).toBeGreaterThan(0);
  nextMinute();
  expect((await account.api.get('/organizations')).status).toBe(200);
});

test('an address may try to sign in twenty times a minute', async () => {
  nextMinute();
  const tries = Array.from({ length: 25 }, (_, n) => api(host.url).post('/auth/refresh', { refresh_token: `rt_${n}` }));
  const statuses = (await Promise.all(tries)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 429)).toHaveLength(5);
});

test.each([
  ['tokens', 'Bearer x.y.z', '/api/v1/organizations'],
  ['project keys on the dashboard', `Bearer bk_${'x'.repeat(64)}`, '/api/v1/routing/providers'],
  ['project keys on inference', `Bearer bk_${'x'.repeat(64)}`, '/v1/models'],
])('%s that are wrong are counted by their address', async (_what, key, path) => {
  nextMinute();
  const stranger = api(host.url, key, '');
  const answers = await Promise.all(Array.from({ length: 105 }, () => stranger.get(path)));
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status === 401)).toHaveLength(100);
  expect(statuses.filter((status) => status === 429)).toHaveLength(5);
  for (const { headers } of answers) expect(headers['x-ratelimit-limit']).toBe('100');
});
