import { expect, test } from '@jest/globals';
import { startLoop } from '../../agent/loop.ts';
import { createWorkQueue } from '../../agent/work-queue.ts';
import { silentLog } from '../../lib/platform/log.ts';
import { createVirtualClock } from './virtual-clock.ts';

function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

test('a key is never worked on twice at once, and once more if it was added meanwhile', async () => {
  const clock = createVirtualClock();
  const { open, opened } = gate();
  let running = 0;
  let runs = 0;
  const work = async () => {
    expect(++running).toBe(1);
    runs += 1;
    await opened;
    running -= 1;
    return {};
  };
  const queue = createWorkQueue({ work, parallelism: 4, clock, log: silentLog });
  for (let index = 0; index < 5; index += 1) queue.add('a');
  await clock.flush();
  queue.add('a');
  open();
  await queue.settled();
  expect(runs).toBe(2);
});

test('a slow key holds up no other, and no more keys run at once than allowed', async () => {
  const clock = createVirtualClock();
  const { open, opened } = gate();
  let running = 0;
  let most = 0;
  const done: string[] = [];
  const work = async (key: string) => {
    most = Math.max(most, ++running);
    if (key === 'slow') await opened;
    else await Promise.resolve();
    running -= 1;
    done.push(key);
    return {};
  };
  const queue = createWorkQueue({ work, parallelism: 2, clock, log: silentLog });
  for (const key of ['slow', 'b', 'c', 'd']) queue.add(key);
  await clock.flush();
  expect(done).toEqual(['b', 'c', 'd']);
  open();
  await queue.settled();
  expect(most).toBe(2);
});

test('a key that is due later is worked on then, sooner if it is added, and after a bug in a while', async () => {
  const clock = createVirtualClock();
  const times: number[] = [];
  const startMs = clock.monotonicMs();
  const work = async () => {
    times.push(clock.monotonicMs() - startMs);
    if (times.length === 3) throw new Error('a bug');
    return times.length < 5 ? { dueMs: 1_000 } : {};
  };
  const queue = createWorkQueue({ work, parallelism: 1, clock, log: silentLog });
  queue.add('a');
  await clock.advance(500);
  queue.add('a');
  await clock.advance(200_000);
  expect(times).toEqual([0, 500, 1_500, 61_500, 62_500]);
});

test.each([
  [1, 1],
  [2, 1],
  [4, 2],
  [5, 2],
])('of %i places, keys that failed last time take %i, and what is well waits for none of them', async (parallelism, places) => {
  const clock = createVirtualClock();
  const failed = new Set<string>();
  const stuck = new Set<string>();
  const well: string[] = [];
  const work = async (key: string) => {
    if (key.startsWith('well')) {
      well.push(key);
      return {};
    }
    if (failed.has(key)) {
      stuck.add(key);
      await clock.sleep(60_000);
      stuck.delete(key);
    }
    failed.add(key);
    return { dueMs: 1_000, failing: true };
  };
  const queue = createWorkQueue({ work, parallelism, clock, log: silentLog });
  for (let index = 0; index < 10; index += 1) queue.add(`bad-${index}`);
  for (let turn = 0; turn < 20; turn += 1) {
    await clock.advance(30_000);
    expect(stuck.size).toBe(places);
    queue.add('well');
    for (const key of failed) queue.add(key);
    await clock.flush();
  }
  expect(well.length).toBeGreaterThanOrEqual(parallelism === 1 ? 1 : 20);
});

test('a new key goes before one that is only tried again', async () => {
  const clock = createVirtualClock();
  const { open, opened } = gate();
  const done: string[] = [];
  const work = async (key: string) => {
    if (key === 'slow') await opened;
    done.push(key);
    return done.length === 1 ? { dueMs: 1_000 } : {};
  };
  const queue = createWorkQueue({ work, parallelism: 1, clock, log: silentLog });
  queue.add('again');
  await clock.flush();
  queue.add('slow');
  await clock.advance(2_000);
  queue.add('new');
  open();
  await queue.settled();
  expect(done).toEqual(['again', 'slow', 'new', 'again']);
});

test('a stopped queue begins nothing more', async () => {
  const clock = createVirtualClock();
  const { open, opened } = gate();
  const done: string[] = [];
  const work = async (key: string) => {
    await opened;
    done.push(key);
    return { dueMs: 10 };
  };
  const queue = createWorkQueue({ work, parallelism: 1, clock, log: silentLog });
  queue.add('a');
  queue.add('b');
  const stopped = queue.stop();
  open();
  await stopped;
  await clock.advance(1_000);
  expect(done).toEqual(['a']);
});

test('a loop starts its runs within the interval, none over another, and wakes at once', async () => {
  const clock = createVirtualClock();
  const starts: number[] = [];
  const startMs = clock.monotonicMs();
  const run = async () => {
    starts.push(clock.monotonicMs() - startMs);
    await clock.sleep(starts.length === 3 ? 25_000 : 1_000);
  };
  const loop = startLoop({ run, intervalMs: 10_000, clock, random: () => 0.5, log: silentLog });
  await clock.advance(45_000);
  expect(starts).toEqual([0, 7_500, 15_000, 40_000]);
  await clock.advance(1_000);
  loop.wake();
  loop.wake();
  await clock.advance(2_500);
  expect(starts.slice(4)).toEqual([46_000]);
  await loop.stop();
});
