import type { Clock } from '../lib/platform/clock.ts';
import type { Log } from '../lib/platform/log.ts';

/**
 * Work by key: each key once at a time, at most `parallelism` keys at once. Adding a key whose work is under way does it once more
 * afterwards, however often it is added meanwhile.
 */
export interface WorkQueue {
  add(key: string): void;
  /** Resolves when nothing is under way or waiting for a turn; keys that are due later don't count. */
  settled(): Promise<void>;
  /** No work begins any more; resolves when what is under way has ended. */
  stop(): Promise<void>;
}

interface WorkQueueOptions {
  /** Answers after how many milliseconds the key is due again, undefined for not by itself. Should not reject. */
  work: (key: string) => Promise<number | undefined>;
  parallelism: number;
  clock: Clock;
  log: Log;
}

const AFTER_A_BUG_MS = 60_000;

export function createWorkQueue({ work, parallelism, clock, log }: WorkQueueOptions): WorkQueue {
  const waiting = new Set<string>();
  const running = new Set<string>();
  const later = new Map<string, AbortController>();
  let idle: (() => void)[] = [];
  let stopped = false;

  function start(): void {
    while (!stopped && running.size < parallelism) {
      const key = waiting.values().find((candidate) => !running.has(candidate));
      if (key === undefined) break;
      waiting.delete(key);
      running.add(key);
      void run(key);
    }
    if (running.size > 0 || (waiting.size > 0 && !stopped)) return;
    for (const resolve of idle.splice(0)) resolve();
    idle = [];
  }

  async function run(key: string): Promise<void> {
    let dueMs: number | undefined;
    try {
      dueMs = await work(key);
    } catch (error) {
      log.error('work_failed_unexpectedly', { key, error });
      dueMs = AFTER_A_BUG_MS;
    }
    running.delete(key);
    if (dueMs !== undefined && !waiting.has(key) && !stopped) schedule(key, dueMs);
    start();
  }

  function schedule(key: string, ms: number): void {
    const timer = new AbortController();
    later.set(key, timer);
    clock.sleep(ms, timer.signal).then(
      () => {
        later.delete(key);
        add(key);
      },
      () => {},
    );
  }

  function add(key: string): void {
    if (stopped) return;
    later.get(key)?.abort();
    later.delete(key);
    waiting.add(key);
    start();
  }

  const settled = () =>
    running.size === 0 && (waiting.size === 0 || stopped) ? Promise.resolve() : new Promise<void>((resolve) => idle.push(resolve));
  return {
    add,
    settled,
    async stop() {
      stopped = true;
      for (const timer of later.values()) timer.abort();
      later.clear();
      await settled();
    },
  };
}
