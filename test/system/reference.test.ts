import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { buildReference, findTypedoc, isReferenceCurrent } from '../../functions/system/reference-build.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';

let host: TestHost;
beforeAll(async () => {
  host = await startTestHost();
});
afterAll(() => host.stop());

const SMALL = ['lib/platform/clock.ts'];
async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const parent = await mkdtemp(join(tmpdir(), 'brokkr-reference-'));
  try {
    await work(join(parent, 'api'));
  } finally {
    await rm(parent, { recursive: true });
  }
}

test('/api builds and shows the reference, even to a visitor who comes during the build', async () => {
  // On a busy machine a build takes longer than one request waits: the page then asks again, as a browser does.
  const visit = async () => {
    for (;;) {
      const answer = await host.root.get('/api');
      if (answer.status !== 503) return answer;
    }
  };
  const [first, second] = await Promise.all([visit(), visit()]);
  for (const { status, headers } of [first, second]) expect([status, headers.location]).toEqual([302, '/api/reference/index.html']);
  const { status, headers, text } = await host.root.get(first.headers.location ?? '');
  expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
  expect(text).toContain('Brokkr: the code&#39;s reference');
}, 120_000);

test('a build of the reference replaces its whole folder and leaves nothing beside it', async () => {
  await inFolder(async (folder) => {
    await mkdir(folder);
    await writeFile(join(folder, 'gone.html'), 'of an earlier version');
    await buildReference(folder, findTypedoc() ?? '', SMALL);
    expect(await readFile(join(folder, 'index.html'), 'utf8')).toContain('systemClock');
    expect(await readdir(folder)).not.toContain('gone.html');
    expect(await readdir(join(folder, '..'))).toEqual(['api']);
  });
});

test('a failed build of the reference gives the reason and keeps the old files', async () => {
  await inFolder(async (folder) => {
    await mkdir(folder);
    await writeFile(join(folder, 'index.html'), 'kept');
    await expect(buildReference(folder, findTypedoc() ?? '', ['no/such/file.ts'])).rejects.toThrow('/no/such');
    expect(await readFile(join(folder, 'index.html'), 'utf8')).toBe('kept');
    expect(await readdir(join(folder, '..'))).toEqual(['api']);
  });
});

test('a reference older than the code is not current', async () => {
  await inFolder(async (folder) => {
    expect(await isReferenceCurrent(folder)).toBe(false);
    await mkdir(folder);
    await writeFile(join(folder, 'index.html'), '');
    expect(await isReferenceCurrent(folder)).toBe(true);
    await utimes(join(folder, 'index.html'), 0, 0);
    expect(await isReferenceCurrent(folder)).toBe(false);
  });
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
])('%s is answered with 404', async (path) => {
  for (const method of ['GET', 'HEAD']) expect((await host.root.send(method, path)).status).toBe(404);
  expect((await host.root.get(path)).text).toBe('not found');
});
