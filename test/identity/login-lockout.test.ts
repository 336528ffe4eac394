import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { makeAccount } from './account-builder.ts';

let host: TestHost;
beforeAll(async () => {
  host = await startTestHost({ trustedProxies: 1 });
});
afterAll(() => host.stop());

async function accountAndLogin() {
  const { email, password } = await makeAccount(host);
  const loginFrom = async (address: string, tried: string) =>
    (await host.anonymous.post('/auth/login', { email, password: tried }, { headers: { 'x-forwarded-for': address } })).status;
  return { password, loginFrom };
}

test('a stranger who fails to sign in as somebody does not lock him out', async () => {
  const { password, loginFrom } = await accountAndLogin();
  const tries = Array.from({ length: 7 }, () => loginFrom('203.0.113.5', 'wrong password'));
  expect((await Promise.all(tries)).sort()).toEqual([401, 401, 401, 401, 401, 429, 429]);
  expect(await loginFrom('203.0.113.5', password)).toBe(429);
  expect(await loginFrom('198.51.100.7', password)).toBe(200);
});

test('fifty failures for an address are the most, however many networks they come from', async () => {
  const { password, loginFrom } = await accountAndLogin();
  for (let network = 1; network <= 10; network++) {
    const tries = Array.from({ length: 5 }, () => loginFrom(`192.0.2.${network}`, 'wrong password'));
    expect(await Promise.all(tries)).toEqual([401, 401, 401, 401, 401]);
  }
  expect(await loginFrom('198.51.100.8', password)).toBe(429);
}, 30_000);
