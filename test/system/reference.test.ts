import { existsSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startTestHost, type TestHost } from '../harness/host.ts';

const built = existsSync(new URL('../../docs/api/index.html', import.meta.url));
let host: TestHost;
beforeAll(async () => {
  host = await startTestHost();
});
afterAll(() => host.stop());

test('/api leads to the reference, or says how to build it', async () => {
  const { status, headers, text } = await host.root.get('/api');
  if (built) expect([status, headers.location]).toEqual([302, '/api/reference/index.html']);
  else expect([status, text.includes('npm run docs:api')]).toEqual([404, true]);
});

test.each([
  '/api/reference/nothing.html',
  '/api/reference/%2e%2e/package.json',
  '/api/reference/..%2F..%2Fpackage.json',
  '/api/reference/modules/..%2F..%2F..%2Fpackage.json',
  '/api/reference/.hidden.html',
  '/api/reference/__proto__',
  '/api/reference/index.html%00.js',
  '/api/modules',
  '/api/v1/modules.html',
])('%s is not found', async (path) => {
  for (const method of ['GET', 'HEAD']) expect((await host.root.send(method, path)).status).toBe(404);
  expect((await host.root.get(path)).text).toBe('not found');
});
