import { type Backoff, backoffMs } from '../../../platform/backoff.ts';
import type { UpstreamFailure } from '../../providers/adapter.ts';

/** What follows a failed attempt: the caller gets the failure, or a candidate is asked after a wait. */
export type NextStep = { do: 'fail' } | { do: 'ask'; candidate: number; afterMs: number };

export interface FailedAttempt {
  /** The place in the plan's list. */
  candidate: number;
  failure: UpstreamFailure;
}

export interface RetryState {
  /** All failed attempts of this call, in their order. */
  failed: readonly FailedAttempt[];
  /** The number of candidates in the plan. */
  candidates: number;
  /** How many times a candidate may be asked again when all have failed. */
  maxRetries: number;
  /** The time that is left for the call. */
  remainingMs: number;
}

const BACKOFF: Backoff = { baseMs: 250, capMs: 4_000 };
/** A caller rather gets the refusal than waits longer than this for a provider's limit. */
const LONGEST_WAIT_MS = 10_000;

/**
 * Decides what follows the last failed attempt. A request that is itself wrong is never sent again. Otherwise each candidate is asked once,
 * in the plan's order and without a wait. After that the candidates whose failure may pass are asked again, with growing random waits,
 * or after the wait that the provider asked for.
 */
export function nextStep({ failed, candidates, maxRetries, remainingMs }: RetryState, random: () => number): NextStep {
  const last = failed.at(-1);
  if (!last || last.failure.blame === 'caller' || remainingMs <= 0) return { do: 'fail' };
  const asked = new Set(failed.map(({ candidate }) => candidate));
  for (let candidate = 0; candidate < candidates; candidate++) if (!asked.has(candidate)) return { do: 'ask', candidate, afterMs: 0 };
  const retries = failed.length - asked.size;
  if (retries >= maxRetries) return { do: 'fail' };
  const again = soonest(failed, retries, random);
  if (!again || again.afterMs > Math.min(LONGEST_WAIT_MS, remainingMs)) return { do: 'fail' };
  return { do: 'ask', ...again };
}

/** The candidate that may be asked again first. */
function soonest(failed: readonly FailedAttempt[], retries: number, random: () => number) {
  const newest = new Map(failed.map(({ candidate, failure }) => [candidate, failure]));
  let best: { candidate: number; afterMs: number } | undefined;
  for (const [candidate, failure] of newest) {
    if (!mayPass(failure)) continue;
    const afterMs = Math.max(failure.retry_after_ms ?? 0, backoffMs(retries, BACKOFF, random));
    if (!best || afterMs < best.afterMs) best = { candidate, afterMs };
  }
  return best;
}

/** Whether the same provider may answer the same request later. Credentials and empty accounts don't mend themselves in seconds. */
const mayPass = ({ blame }: UpstreamFailure): boolean => blame === 'provider' || blame === 'rate_limited';
