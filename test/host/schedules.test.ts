import { expect, test } from '@jest/globals';
import { type ScheduledFunction, startSchedules } from '../../infra/host/schedules.ts';
import type { Clock } from '../../lib/platform/clock.ts';
import { createLog, silentLog } from '../../lib/platform/log.ts';

/** A clock whose sleepers wake when the test wakes them. */
function createManualClock() {
  const sleepers: { ms: number; wake: () => void }[] = [];
  const clock: Clock = {
    nowMs: () => 0,
    monotonicMs: () => 0,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        sleepers.push({ ms, wake: resolve });
        signal?.addEventListener('abort', () => reject(signal.reason));
      }),
  };
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return {
    clock,
    sleepers,
    /** Ends the newest sleep and lets the code after it run. */
    async wake() {
      sleepers.at(-1)?.wake();
      await settle();
    },
    settle,
  };
}
const every = (everySeconds: number, handler: ScheduledFunction['handler']): ScheduledFunction => ({ name: 'test', everySeconds, handler });

test('a schedule runs first within two seconds, then at about its interval', async () => {
  const { clock, sleepers, wake } = createManualClock();
  let runs = 0;
  const schedules = startSchedules([every(60, async () => void runs++)], { clock, log: silentLog });
  await wake();
  await wake();
  expect(runs).toBe(2);
  expect(sleepers[0]?.ms).toBeLessThanOrEqual(2_000);
  for (const { ms } of sleepers.slice(1)) expect(Math.abs(ms - 60_000)).toBeLessThanOrEqual(6_000);
  await schedules.stop();
});

test('a schedule has only one run at a time', async () => {
  const { clock, sleepers, wake } = createManualClock();
  const finish = Promise.withResolvers<void>();
  let runs = 0;
  const handler = () => {
    runs++;
    return finish.promise;
  };
  const schedules = startSchedules([every(1, handler)], { clock, log: silentLog });
  await wake();
  const joined = schedules.fire('test');
  await wake();
  expect([runs, sleepers.length]).toEqual([1, 1]);
  finish.resolve();
  await joined;
  await schedules.stop();
});

test('a failed run is logged, and the next one comes anyway', async () => {
  const { clock, wake } = createManualClock();
  const logged: string[] = [];
  let runs = 0;
  const failing = async () => {
    runs++;
    throw new Error('no luck');
  };
  const schedules = startSchedules([every(1, failing)], { clock, log: createLog({ write: (line) => logged.push(line) }) });
  await wake();
  await wake();
  expect(runs).toBe(2);
  expect(logged.filter((line) => line.includes('schedule_failed') && line.includes('no luck'))).toHaveLength(2);
  await schedules.stop();
});

test('the stop of schedules waits for a run that has begun', async () => {
  const { clock, wake, settle } = createManualClock();
  const finish = Promise.withResolvers<void>();
  const schedules = startSchedules([every(1, () => finish.promise)], { clock, log: silentLog });
  await wake();
  let stopped = false;
  const stop = schedules.stop().then(() => {
    stopped = true;
  });
  await settle();
  expect(stopped).toBe(false);
  finish.resolve();
  await stop;
});
