import { RequestAbandoned } from './request-facts.ts';

/** The part of Lambda's context that says how long the function may still run. */
export interface LambdaTime {
  getRemainingTimeInMillis(): number;
}

/** A request is told this long before its function's time is over, so that its handler can end its work and answer in its own words. */
const TELL_EARLY_MS = 2_000;

/** A signal for a request, which is aborted shortly before its function's time is over. */
export function timeOf({ getRemainingTimeInMillis }: Partial<LambdaTime>): { signal: AbortSignal; clear(): void } {
  const abandoned = new AbortController();
  const timer =
    getRemainingTimeInMillis &&
    setTimeout(() => abandoned.abort(new RequestAbandoned('time_over')), Math.max(0, getRemainingTimeInMillis() - TELL_EARLY_MS));
  return { signal: abandoned.signal, clear: () => clearTimeout(timer) };
}
