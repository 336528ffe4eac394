import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { newProjectKey } from './project-key.ts';

let host: TestHost;
beforeAll(async () => {
  host = await startTestHost();
}, 30_000);
afterAll(() => host.stop());

test('many slow calls of one key may run at once, also if their bodies come without a length', async () => {
  const { key } = await newProjectKey(host);
  const body = JSON.stringify({ model: 'simulated/slow-300', messages: [{ role: 'user', content: 'hi' }] });
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'transfer-encoding': 'chunked' };
  let calls = 0;
  const call = () =>
    new Promise<number | undefined>((resolve, reject) => {
      const sent = request(`${host.url}/v1/chat/completions`, { method: 'POST', headers, agent: false }, (answer) => {
        answer.resume().once('end', () => resolve(answer.statusCode));
      });
      sent.once('error', reject).end(body, () => calls++);
    });
  const running: Promise<number | undefined>[] = [];
  for (let n = 0; n < 12; n++) {
    running.push(call());
    // One body after the other, while all answers are still to come.
    while (calls <= n) await new Promise((turn) => setImmediate(turn));
    await fetch(`${host.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
  }
  expect(await Promise.all(running)).toEqual(Array(12).fill(200));
}, 20_000);
