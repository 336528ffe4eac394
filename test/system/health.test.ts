import { readdir, readFile } from 'node:fs/promises';
import { afterEach, expect, test } from '@jest/globals';
import { type Clock, systemClock } from '../../lib/platform/clock.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';

let host: TestHost;
afterEach(() => host.stop());

/** The system's clock, which a test may move forward. */
function createAdjustableClock(): Clock & { advance(ms: number): void } {
  let ahead = 0;
  return {
    ...systemClock,
    monotonicMs: () => systemClock.monotonicMs() + ahead,
    advance(ms) {
      ahead += ms;
    },
  };
}
/** Resolves when every thread of the process has stopped: until then the process may still answer. */
async function stopped(pid: number): Promise<void> {
  const states = async () => {
    const threads = await readdir(`/proc/${pid}/task`);
    return Promise.all(threads.map(async (thread) => (await readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8')).split(') ')[1]?.[0]));
  };
  while (!(await states()).every((state) => state === 'T')) await new Promise((resolve) => setImmediate(resolve));
}
const TEXT = 'text/plain; charset=utf-8';

test('a healthy host answers its probes with the texts that they expect', async () => {
  host = await startTestHost();
  for (const path of ['/healthz', '/health', '/health/live']) {
    expect(await host.root.get(path)).toMatchObject({ status: 200, text: 'OK', headers: { 'content-type': TEXT } });
  }
  expect(await host.root.get('/readyz')).toMatchObject({ status: 200, text: 'Ready', headers: { 'content-type': TEXT } });
  expect(await host.root.get('/health/ready')).toMatchObject({ status: 200, body: { status: 'ready' } });
});

test('a host without its store is alive but not ready', async () => {
  host = await startTestHost();
  process.kill(host.engines.dynamoDbPid ?? 0, 'SIGKILL');
  expect(await host.root.get('/readyz')).toMatchObject({ status: 503, text: 'database unavailable', headers: { 'content-type': TEXT } });
  expect(await host.root.get('/health/ready')).toMatchObject({
    status: 503,
    body: { code: 'unavailable', message: 'database unavailable' },
  });
  expect((await host.root.get('/healthz')).status).toBe(200);
});

test('a host is not ready within a second after its store hangs, and ready again two seconds after the store answers', async () => {
  const clock = createAdjustableClock();
  host = await startTestHost({ clock });
  const store = host.engines.dynamoDbPid ?? 0;
  process.kill(store, 'SIGSTOP');
  await stopped(store);
  const asked = performance.now();
  const answers = await Promise.all([host.root.get('/readyz'), host.root.get('/readyz'), host.root.get('/health/ready')]);
  expect(answers.map(({ status }) => status)).toEqual([503, 503, 503]);
  expect(performance.now() - asked).toBeLessThan(1_500);

  process.kill(store, 'SIGCONT');
  expect((await host.root.get('/readyz')).status).toBe(503);
  clock.advance(2_000);
  expect((await host.root.get('/readyz')).status).toBe(200);
});

test('readiness probes read the store once in two seconds, however many there are', async () => {
  const clock = createAdjustableClock();
  const reads: string[] = [];
  host = await startTestHost({ clock, onConsumed: (operation) => reads.push(operation), functions: { scheduleGroups: [] } });
  reads.length = 0;
  await Promise.all(Array.from({ length: 50 }, () => host.root.get('/readyz')));
  expect(reads).toHaveLength(1);
  clock.advance(2_000);
  await host.root.get('/readyz');
  expect(reads).toHaveLength(2);
});
