import type { CompleteWorkOrder, JobOutcome } from '../../lib/fleet/protocol/work-order-protocol.ts';
import { redactText } from '../../lib/platform/redaction.ts';

/** How an attempt on an order ended, as it is reported. */
export type OrderResult = Omit<CompleteWorkOrder, 'token'> & { success: boolean };

const MESSAGE_CHARACTERS = 4_000;
/** A result names no more Jobs. */
const JOBS_NAMED = 20;

/** A failure. `retryable`: the same attempt may succeed later without anyone changing anything. Messages quote no secret. */
export const failedOrder = (message: string, more: Omit<Partial<OrderResult>, 'success' | 'message'> = {}): OrderResult => ({
  success: false,
  retryable: false,
  ...more,
  message: redactText(message).slice(0, MESSAGE_CHARACTERS),
});

/** The result of an order whose objects were applied and whose Jobs and BuildRuns have ended. */
export function orderResult(
  jobs: readonly JobOutcome[],
  { applied, attempt, durationMs }: { applied: number; attempt: number; durationMs: number },
): OrderResult {
  const failed = jobs.filter(({ outcome }) => outcome !== 'succeeded');
  const succeeded = jobs.filter(({ outcome }) => outcome === 'succeeded');
  const named = [...failed, ...succeeded].slice(0, JOBS_NAMED);
  const details = { attempt, objects_applied: applied, jobs: named, duration_ms: Math.max(0, Math.round(durationMs)) };
  if (failed.length > 0) return failedOrder(failed.map(jobText).join('; '), { details });
  const parts = [`applied ${applied} object${applied === 1 ? '' : 's'}`, ...jobs.map(jobText)];
  return { success: true, message: redactText(parts.join('; ')).slice(0, MESSAGE_CHARACTERS), details };
}

const OUTCOMES = { succeeded: 'succeeded', failed: 'failed', timed_out: 'did not end in time', stopped: 'was stopped' } as const;

function jobText({ kind, namespace, name, outcome, reason, message, image_digest }: JobOutcome): string {
  const why = [reason, message].filter(Boolean).join(': ');
  const digest = image_digest === undefined ? '' : `, image ${image_digest}`;
  return `${kind}/${namespace}/${name} ${OUTCOMES[outcome]}${why === '' || outcome === 'succeeded' ? '' : `: ${why}`}${digest}`;
}
