/** The time is an input like any other: code that needs it takes a clock, and tests pass one that they control. */
export interface Clock {
  /** Milliseconds since the Unix epoch. For stored times and expiry; it may jump. */
  nowMs(): number;
  /** Milliseconds that never go back. For durations and deadlines. */
  monotonicMs(): number;
  /** Resolves after `ms`, or rejects with the signal's reason as soon as it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const abort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', abort);
        resolve();
      }, ms);
      signal?.addEventListener('abort', abort, { once: true });
    }),
};

/** RFC 3339, UTC, milliseconds: the wire's form of a time. */
export const timestamp = (clock: Clock): string => new Date(clock.nowMs()).toISOString();
