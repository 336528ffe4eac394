import { backoffMs } from '../platform/backoff.ts';
import type { Clock } from '../platform/clock.ts';
import { ConditionFailed } from '../platform/database/database.ts';
import { AppError } from '../platform/errors.ts';

/** Together about two seconds: enough for some dozens who change the same thing at once. */
const ATTEMPTS = 20;
const BACKOFF = { baseMs: 10, capMs: 200 };

/**
 * Runs what reads, decides and writes on the condition that nothing changed in between, again from its reading where something did:
 * of many at once each is decided on what the one before it left.
 */
export async function againstNewest<T>({ clock }: { clock: Clock }, what: string, attempt: () => Promise<T>): Promise<T> {
  for (let count = 1; ; count++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      if (count === ATTEMPTS) throw changedMeanwhile(what);
      await clock.sleep(backoffMs(count, BACKOFF));
    }
  }
}

const changedMeanwhile = (what: string) =>
  new AppError('conflict', `the ${what} is being changed by others at the same time; try again`, { code: 'concurrent_change' });
