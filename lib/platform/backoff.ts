import { randomFraction } from './ids.ts';

export interface Backoff {
  /** The bound of the first wait. */
  baseMs: number;
  /** No wait is longer. */
  capMs: number;
}

/**
 * The wait before retry number `attempt` (0 for the first), with full jitter: a random point between nothing and an
 * exponentially growing bound, so that many callers which failed together do not come back together.
 * https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
 */
export function backoffMs(attempt: number, { baseMs, capMs }: Backoff, random: () => number = randomFraction): number {
  return Math.round(random() * Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30)));
}

/** A duration moved by up to ±`share` of itself, so that a fleet with one interval does not poll in step. */
export function jitteredMs(ms: number, share: number, random: () => number = randomFraction): number {
  return Math.round(ms * (1 + share * (2 * random() - 1)));
}
