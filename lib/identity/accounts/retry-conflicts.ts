import { isAppError } from '../../platform/errors.ts';

const ROUNDS = 8;

/** Reads and decides again if somebody else has changed what the decision rests on. The last conflict is the caller's. */
export async function retryConflicts<T>(decide: () => Promise<T>): Promise<T> {
  for (let round = 1; ; round++) {
    try {
      return await decide();
    } catch (error) {
      if (round === ROUNDS || !isAppError(error, 'VERSION_CONFLICT')) throw error;
    }
  }
}
