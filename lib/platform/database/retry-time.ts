import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * The time for retries that all calls of one request share. Each call also has its own limit, but a request makes many calls: if a store
 * throttles four calls of five, they all succeed late, and the request would take as long as their limits together.
 */
interface RetryTime {
  /** A time of the monotonic clock; undefined until the first fault. */
  endMs: number | undefined;
}

const requests = new AsyncLocalStorage<RetryTime>();

/** Runs work whose calls to the store share one time for retries. Other work has only the limit of each call. */
export const shareRetryTime = <T>(work: () => T): T => requests.run({ endMs: undefined }, work);

/** The end of the time for retries of a failed call, whose own time ends at `ownEndMs`. The first fault of a request sets it for all. */
export function retryEnd(ownEndMs: number): number {
  const shared = requests.getStore();
  if (!shared) return ownEndMs;
  shared.endMs ??= ownEndMs;
  return Math.min(ownEndMs, shared.endMs);
}
