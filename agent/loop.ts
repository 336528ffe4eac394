import type { Clock } from '../lib/platform/clock.ts';
import type { Log } from '../lib/platform/log.ts';

/** Runs one thing again and again, never twice at once. */
export interface Loop {
  /** Runs now, or once more after the run under way. */
  wake(): void;
  /** Resolves when no run is under way or called for. */
  settled(): Promise<void>;
  /** Resolves when the run under way has ended. */
  stop(): Promise<void>;
}

interface LoopOptions {
  run: () => Promise<void>;
  /** From start to start, at the most: each wait is 50 to 100 % of it, so that a fleet does not poll in step, and news waits less than half of it. */
  intervalMs: number;
  clock: Clock;
  random: () => number;
  log: Log;
}

export function startLoop({ run, intervalMs, clock, random, log }: LoopOptions): Loop {
  const stopping = new AbortController();
  let waitingFor = new AbortController();
  let called = true;
  let idle: (() => void)[] = [];
  let busy = true;

  async function turns(): Promise<void> {
    while (!stopping.signal.aborted) {
      called = false;
      busy = true;
      const startedMs = clock.monotonicMs();
      try {
        await run();
      } catch (error) {
        log.error('loop_run_failed_unexpectedly', { error });
      }
      if (called) continue;
      busy = false;
      for (const resolve of idle.splice(0)) resolve();
      idle = [];
      const waitMs = intervalMs * (0.5 + 0.5 * random()) - (clock.monotonicMs() - startedMs);
      waitingFor = new AbortController();
      await clock.sleep(Math.max(0, waitMs), AbortSignal.any([stopping.signal, waitingFor.signal])).catch(() => {});
    }
    busy = false;
    for (const resolve of idle.splice(0)) resolve();
  }
  const ended = turns();

  return {
    wake() {
      called = true;
      if (!stopping.signal.aborted) busy = true;
      waitingFor.abort();
    },
    settled: () => (busy ? new Promise<void>((resolve) => idle.push(resolve)) : Promise.resolve()),
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}
