import { AppError } from '../../../platform/errors.ts';
import { RequestAbandoned } from '../../../platform/http/request-facts.ts';
import type { CallRecord } from '../../records/call-record.ts';
import { inferenceError } from '../../wire/inference-errors.ts';
import { CallerGone } from '../attempts/attempt-failure.ts';
import type { IncomingCall } from './running-call.ts';

/** How a call ended, as its record says. */
export interface CallEnd {
  status_code: number;
  outcome: CallRecord['outcome'];
  error: string | null;
}

/** The status that logs of HTTP servers have for a caller who left. */
const CLIENT_CLOSED = 499;

export const SUCCESS: CallEnd = { status_code: 200, outcome: 'success', error: null };
export const CLIENT_LEFT: CallEnd = { status_code: CLIENT_CLOSED, outcome: 'client_closed', error: 'the caller has left' };

/** How a call ended that failed with this error. */
export function endOf(error: unknown): CallEnd {
  if (error instanceof CallerGone) return CLIENT_LEFT;
  if (!(error instanceof AppError)) return { status_code: 500, outcome: 'error', error: 'internal error' };
  return { status_code: inferenceError(error).status, outcome: outcomeOf(error), error: error.message };
}

function outcomeOf({ kind, code }: AppError): CallEnd['outcome'] {
  if (kind === 'rate_limited') return code === 'provider_rate_limited' ? 'error' : 'rate_limited';
  return kind === 'quota_exceeded' ? 'budget_exceeded' : 'error';
}

/** The error of a call whose answer is not waited for, or can't be finished. Only a caller who is still there sees it. */
export function abandoned({ signal }: IncomingCall): AppError {
  const why = signal.reason instanceof RequestAbandoned ? signal.reason.why : 'client_closed';
  switch (why) {
    case 'client_closed':
      return new AppError('timeout', 'The caller has left.', { code: 'client_closed' });
    case 'time_over':
      return new AppError('upstream_timeout', "The gateway's time for this call is over.");
    case 'shutting_down':
      return new AppError('unavailable', 'The gateway is shutting down. Try again.', { retryAfterSeconds: 1 });
  }
}
