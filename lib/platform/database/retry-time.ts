import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * The time for retries that the calls of one request share. Each call has a limit of its own, but a request makes many: if a store
 * throttles four calls of five, all of them succeed late, and the request takes as long as their limits together.
 */
interface RetryTime {
  /** By the monotonic clock; undefined until the first fault. */
  endMs: number | undefined;
}

const requests = new AsyncLocalStorage<RetryTime>();

/** Runs work whose calls to the store share one time for retries. Work that is not run by this has a limit for each call alone. */
export const shareRetryTime = <T>(work: () => T): T => requests.run({ endMs: undefined }, work);

/** The end of the time for retries, for a call that has failed and whose own time ends at `ownEndMs`. The first fault sets it for all. */
export function retryEnd(ownEndMs: number): number {
  const shared = requests.getStore();
  if (!shared) return ownEndMs;
  shared.endMs ??= ownEndMs;
  return Math.min(ownEndMs, shared.endMs);
}
