import { ConditionFailed } from '../platform/database/database.ts';
import { AppError } from '../platform/errors.ts';

const ATTEMPTS = 10;

/**
 * Runs what reads, decides and writes on the condition that nothing changed in between, again from its reading where something did:
 * of many at once each is decided on what the one before it left.
 */
export async function againstNewest<T>(what: string, attempt: () => Promise<T>): Promise<T> {
  for (let count = 1; ; count++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      if (count === ATTEMPTS) throw changedMeanwhile(what);
    }
  }
}

const changedMeanwhile = (what: string) =>
  new AppError('conflict', `the ${what} is being changed by others at the same time; try again`, { code: 'concurrent_change' });
