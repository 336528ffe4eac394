import { execFileSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { type Clock, systemClock } from '../../lib/platform/clock.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { mayMount, mountSmallFileSystem, type SmallFileSystem } from './small-file-system.ts';

let disk: SmallFileSystem;
let host: TestHost;
afterEach(async () => {
  await host.stop();
  await disk.unmount();
});

const withMounts = (await mayMount()) ? test : test.skip;
if (withMounts === test.skip) console.info('skipped: a disk that becomes full (this user may not mount)');

let ahead = 0;
const clock: Clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + ahead };
/** A verdict on readiness holds for two seconds. */
const nextVerdict = () => {
  ahead += 2_000;
};

const filler = () => join(disk.folder, 'filler');
const fillDisk = () => {
  try {
    execFileSync('dd', ['if=/dev/zero', `of=${filler()}`, 'bs=4k'], { stdio: 'ignore' });
  } catch {
    // dd ends with an error because it has filled the disk.
  }
};

withMounts('a host whose disk is full refuses changes with the reason, answers reads, and is not ready until there is room', async () => {
  disk = await mountSmallFileSystem('4m');
  const dataDir = join(disk.folder, 'data');
  host = await startTestHost({ dataDir, clock, functions: { scheduleGroups: [] } });
  await host.admin.post('/generators', { name: 'before' });
  await writeFile(filler(), '');
  fillDisk();

  expect(await host.admin.post('/generators', { name: 'refused' })).toMatchObject({
    status: 503,
    body: { code: 'unavailable', message: 'the store cannot store anything: its disk is full' },
  });
  const failed = host.logged.map((line) => JSON.parse(line)).filter(({ event }) => event === 'storage_failed');
  expect(failed).toMatchObject([{ level: 'error', stored_in: dataDir, reason: 'its disk is full' }]);
  expect((await host.admin.get('/generators')).text).toContain('"before"');
  expect([(await host.root.get('/readyz')).status, (await host.root.get('/healthz')).status]).toEqual([503, 200]);
  nextVerdict();
  expect((await host.root.get('/readyz')).status).toBe(503);

  await rm(filler());
  nextVerdict();
  expect((await host.root.get('/readyz')).status).toBe(200);
  expect(host.logged.join('\n')).toContain('storage_recovered');
  expect((await host.admin.post('/generators', { name: 'after' })).status).toBe(201);
});

withMounts('the readiness check makes no write while writes succeed', async () => {
  disk = await mountSmallFileSystem('4m');
  const operations: string[] = [];
  const onConsumed = (operation: string) => operations.push(operation);
  host = await startTestHost({ dataDir: join(disk.folder, 'data'), clock, onConsumed, functions: { scheduleGroups: [] } });
  operations.length = 0;
  for (let round = 0; round < 3; round++) {
    nextVerdict();
    await host.root.get('/readyz');
  }
  expect(operations).toEqual(['GetItem', 'GetItem', 'GetItem']);
});
