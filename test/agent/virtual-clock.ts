import type { Clock } from '../../lib/platform/clock.ts';

/** Time that passes only when a test says so. */
export interface VirtualClock extends Clock {
  /** Lets so much time pass, waking who sleeps in the order of their times. */
  advance(ms: number): Promise<void>;
  /** Goes to the next time somebody waits for; false where nobody does. */
  next(): Promise<boolean>;
  /** Lets everything happen that waits for no time. */
  flush(): Promise<void>;
}

export function createVirtualClock(startMs = Date.UTC(2026, 0, 1)): VirtualClock {
  let now = startMs;
  const sleepers = new Set<{ atMs: number; wake: () => void }>();
  const flush = async () => {
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  const earliest = () =>
    [...sleepers].reduce<{ atMs: number; wake: () => void } | undefined>(
      (first, item) => (first && first.atMs <= item.atMs ? first : item),
      undefined,
    );

  async function next(untilMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    await flush();
    const sleeper = earliest();
    if (!sleeper || sleeper.atMs > untilMs) return false;
    now = Math.max(now, sleeper.atMs);
    sleepers.delete(sleeper);
    sleeper.wake();
    await flush();
    return true;
  }

  return {
    nowMs: () => now,
    monotonicMs: () => now - startMs + 1_000_000,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const sleeper = { atMs: now + ms, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', () => {
          sleepers.delete(sleeper);
          reject(signal.reason);
        });
      }),
    async advance(ms) {
      const untilMs = now + ms;
      while (await next(untilMs));
      now = untilMs;
      await flush();
    },
    next: () => next(),
    flush,
  };
}
