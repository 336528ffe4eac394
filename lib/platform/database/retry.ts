import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { backoffMs } from '../backoff.ts';
import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import { ConditionFailed, keyOf, type Write } from './database.ts';
import { retryEnd } from './retry-time.ts';

/** No attempt starts later than this after the first one, so that a caller gets an answer before it gives up itself. */
const BUDGET_MS = 1_500;
const MAX_ATTEMPTS = 10;
const BACKOFF = { baseMs: 20, capMs: 500 };
const RETRY_AFTER_SECONDS = 2;

/** Another transaction was changing the item; nothing was stored. */
const CONFLICT: ReadonlySet<string> = new Set(['TransactionConflict', 'TransactionConflictException']);
/** The store has no capacity left for this call; nothing was stored. */
const THROTTLED: ReadonlySet<string> = new Set([
  'ThrottlingError',
  'ThrottlingException',
  'ProvisionedThroughputExceeded',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  // The first attempt of this very transaction is still running.
  'TransactionInProgressException',
]);
/** The store was never reached. */
const UNREACHED: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']);
/** A connection was lost or stayed silent after the call may have been sent: its outcome is unknown. */
const UNANSWERED: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'TimeoutError']);

export type Fault = 'conflict' | 'throttled' | 'unreached' | 'unanswered';

/** The kind of a failure that may pass by itself; undefined for every other one. */
export function faultOf(error: unknown): Fault | undefined {
  if (!(error instanceof Error)) return undefined;
  const reasons = error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : [];
  const names = [error.name, ...reasons.map(({ Code = '' }) => Code)];
  if (names.some((name) => CONFLICT.has(name))) return 'conflict';
  if (names.some((name) => THROTTLED.has(name))) return 'throttled';
  const codes = [error.name, ...codesOf(error)];
  if (codes.some((code) => UNREACHED.has(code))) return 'unreached';
  if (codes.some((code) => UNANSWERED.has(code)) || statusOf(error) >= 500) return 'unanswered';
  return undefined;
}

function codesOf(error: Error): string[] {
  const own = 'code' in error && typeof error.code === 'string' ? [error.code] : [];
  return error.cause instanceof Error ? [...own, ...codesOf(error.cause)] : own;
}

function statusOf(error: Error): number {
  const metadata: unknown = '$metadata' in error ? error.$metadata : undefined;
  const status: unknown = Object(metadata).httpStatusCode;
  return typeof status === 'number' ? status : 0;
}

export interface RetryOptions {
  /** Whether a call that may have been carried out may be sent again. */
  repeatable: boolean;
  /** Called before each further attempt. */
  onFault?: (fault: Fault) => void;
}

export type Retry = <T>(send: () => Promise<T>, options: RetryOptions) => Promise<T>;

/**
 * Retries after faults that may pass by themselves, within a limit of attempts and time, then throws `unavailable`. The limits keep
 * callers from waiting long and take load off a store that is out of capacity.
 */
export function createRetry(clock: Clock): Retry {
  return async (send, { repeatable, onFault }) => {
    const deadline = clock.monotonicMs() + BUDGET_MS;
    for (let attempt = 1; ; attempt++) {
      try {
        return await send();
      } catch (error) {
        const fault = faultOf(error);
        if (fault === undefined) throw error;
        const waitMs = backoffMs(attempt, BACKOFF);
        // A conflict means that others make progress; it does not mean that the store is busy.
        const end = fault === 'conflict' ? deadline : retryEnd(deadline);
        const over = attempt === MAX_ATTEMPTS || clock.monotonicMs() + waitMs > end;
        if (over || (fault === 'unanswered' && !repeatable)) throw unavailable(fault, repeatable, error);
        onFault?.(fault);
        await clock.sleep(waitMs);
      }
    }
  };
}

function unavailable(fault: Fault, repeatable: boolean, cause: unknown): AppError {
  return new AppError('unavailable', messageOf(fault, repeatable), { retryAfterSeconds: RETRY_AFTER_SECONDS, cause });
}

function messageOf(fault: Fault, repeatable: boolean): string {
  switch (fault) {
    case 'conflict':
      return 'other callers are changing the same records; try again';
    case 'throttled':
      return 'the store is busy; try again in a few seconds';
    case 'unreached':
      return 'the store cannot be reached; try again in a few seconds';
    case 'unanswered':
      return repeatable
        ? 'the store does not answer; try again in a few seconds'
        : 'the store did not answer, and the change may have been made; check before you try again';
  }
}

/** The error of the first write whose condition didn't hold; undefined for every other failure. */
export function conditionFailure(error: unknown, writes: readonly Write[]): Error | undefined {
  if (!(error instanceof Error)) return undefined;
  const reasons = error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : [];
  const failed = error.name === 'ConditionalCheckFailedException' ? 0 : reasons.findIndex(({ Code }) => Code === 'ConditionalCheckFailed');
  const write = writes[failed];
  return write && (write.orElse?.() ?? new ConditionFailed(keyOf(write)));
}

/** Whether a single write leaves the same item, and gets the same answer, if it is carried out twice. */
export const isRepeatable = (write: Write): boolean => !write.if && !('update' in write && (write.add || 'copy' in write));
