import { backoffMs } from '../platform/backoff.ts';
import type { Clock } from '../platform/clock.ts';
import { ConditionFailed } from '../platform/database/database.ts';
import { AppError } from '../platform/errors.ts';

/** All attempts together take about two seconds: enough for some dozens of callers who change the same thing at once. */
const ATTEMPTS = 20;
const BACKOFF = { baseMs: 10, capMs: 200 };

/**
 * Optimistic retry: `attempt` reads, decides and writes on the condition that nothing changed in between. After a lost condition it
 * reads and decides again, so it finds out itself if the thing is gone.
 */
export async function retryOnConcurrentChange<T>({ clock }: { clock: Clock }, what: string, attempt: () => Promise<T>): Promise<T> {
  for (let count = 1; ; count++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      if (count === ATTEMPTS) throw changedMeanwhile(what, error);
      await clock.sleep(backoffMs(count, BACKOFF));
    }
  }
}

const changedMeanwhile = (what: string, cause: Error) =>
  new AppError('unavailable', `the ${what} is being changed by others at the same time; try again`, { retryAfterSeconds: 1, cause });
