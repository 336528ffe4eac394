import { jitteredMs } from '../../lib/platform/backoff.ts';
import type { Clock } from '../../lib/platform/clock.ts';
import { randomFraction } from '../../lib/platform/ids.ts';
import type { Log } from '../../lib/platform/log.ts';
import type { ScheduleFunction } from '../../lib/platform/schedule.ts';

/** Runs schedules, as EventBridge does on AWS. */
export interface Schedules {
  /** Runs a schedule at once, or waits for its current run. Failures are logged. For tests. */
  fire(name: string): Promise<void>;
  /** Starts no more runs. Resolves when the current runs are done. */
  stop(): Promise<void>;
}

export interface ScheduledFunction {
  name: string;
  everySeconds: number;
  handler: ScheduleFunction;
}

/** The first run comes within this time, because after a start there is most to do. */
const FIRST_RUN_MS = 2_000;
const JITTER = 0.1;

/** Runs each function at its interval, one run at a time. A failed run is logged, and the next one comes anyway. */
export function startSchedules(functions: readonly ScheduledFunction[], { clock, log }: { clock: Clock; log: Log }): Schedules {
  const stopping = new AbortController();
  const { signal } = stopping;
  const running = new Map<string, Promise<void>>();

  function run({ name, handler }: ScheduledFunction): Promise<void> {
    const current = running.get(name);
    if (current) return current;
    const started = handler()
      .catch((error: unknown) => log.error('schedule_failed', { schedule: name, error }))
      .finally(() => running.delete(name));
    running.set(name, started);
    return started;
  }

  async function repeat(scheduled: ScheduledFunction): Promise<void> {
    const everyMs = scheduled.everySeconds * 1_000;
    let waitMs = randomFraction() * Math.min(FIRST_RUN_MS, everyMs);
    while (await wait(waitMs)) {
      await run(scheduled);
      waitMs = jitteredMs(everyMs, JITTER);
    }
  }
  const wait = (ms: number) =>
    clock.sleep(ms, signal).then(
      () => !signal.aborted,
      () => false,
    );

  const loops = functions.map(repeat);
  return {
    async fire(name) {
      const scheduled = functions.find((candidate) => candidate.name === name);
      if (!scheduled) throw new Error(`no schedule ${name}`);
      await run(scheduled);
    },
    async stop() {
      stopping.abort();
      await Promise.all([...loops, ...running.values()]);
    },
  };
}
