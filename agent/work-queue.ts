import type { Clock } from '../lib/platform/clock.ts';
import type { Log } from '../lib/platform/log.ts';

/**
 * Work by key: each key once at a time, at most `parallelism` keys at once. Adding a key whose work is under way does it once more
 * afterwards, however often it is added meanwhile. What was added goes before what is due again, and keys that failed last time take
 * at most half of the places.
 */
export interface WorkQueue {
  add(key: string): void;
  /** Resolves when nothing is under way or waiting for a turn; keys that are due later don't count. */
  settled(): Promise<void>;
  /** No work begins any more; resolves when what is under way has ended. */
  stop(): Promise<void>;
}

/** How work on a key ended. */
export interface Worked {
  /** After how many milliseconds the key is due again; absent if not by itself. */
  dueMs?: number;
  /** The run failed; failing keys get at most half of the slots. */
  failing?: boolean;
}

interface WorkQueueOptions {
  /** Should not reject. */
  work: (key: string) => Promise<Worked>;
  parallelism: number;
  clock: Clock;
  log: Log;
}

const AFTER_A_BUG_MS = 60_000;

export function createWorkQueue({ work, parallelism, clock, log }: WorkQueueOptions): WorkQueue {
  const added = new Set<string>();
  const due = new Set<string>();
  const failing = new Set<string>();
  const failingMax = Math.max(1, Math.floor(parallelism / 2));
  const running = new Set<string>();
  const later = new Map<string, AbortController>();
  let idle: (() => void)[] = [];
  let stopped = false;

  const waiting = (): number => added.size + due.size;

  function next(): string | undefined {
    const full = running.intersection(failing).size >= failingMax;
    const mayRun = (key: string) => !running.has(key) && !(full && failing.has(key));
    return added.values().find(mayRun) ?? due.values().find(mayRun);
  }

  function start(): void {
    while (!stopped && running.size < parallelism) {
      const key = next();
      if (key === undefined) break;
      added.delete(key);
      due.delete(key);
      running.add(key);
      void run(key);
    }
    if (running.size > 0 || (waiting() > 0 && !stopped)) return;
    for (const resolve of idle.splice(0)) resolve();
    idle = [];
  }

  async function run(key: string): Promise<void> {
    let worked: Worked;
    try {
      worked = await work(key);
    } catch (error) {
      log.error('work_failed_unexpectedly', { key, error });
      worked = { dueMs: AFTER_A_BUG_MS, failing: true };
    }
    running.delete(key);
    if (worked.failing) failing.add(key);
    else failing.delete(key);
    if (worked.dueMs !== undefined && !added.has(key) && !stopped) schedule(key, worked.dueMs);
    start();
  }

  function schedule(key: string, ms: number): void {
    const timer = new AbortController();
    later.set(key, timer);
    clock.sleep(ms, timer.signal).then(
      () => {
        later.delete(key);
        due.add(key);
        start();
      },
      () => {},
    );
  }

  function add(key: string): void {
    if (stopped) return;
    later.get(key)?.abort();
    later.delete(key);
    due.delete(key);
    added.add(key);
    start();
  }

  const settled = () =>
    running.size === 0 && (waiting() === 0 || stopped) ? Promise.resolve() : new Promise<void>((resolve) => idle.push(resolve));
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
