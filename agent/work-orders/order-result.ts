import type { CompleteWorkOrder, JobOutcome } from '../../lib/fleet/protocol/work-order-protocol.ts';
import { redactText } from '../../lib/platform/redaction.ts';

/** How an attempt on an order ended, as it is reported. */
export type OrderResult = Omit<CompleteWorkOrder, 'token'> & { success: boolean };

const MESSAGE_CHARACTERS = 4_000;
/** A result names no more Jobs. */
const JOBS_NAMED = 20;

/** The most bytes of JSON that the Jobs of a result take: the server accepts requests of 256 KiB. */
const JOBS_BYTES = 192 * 1024;

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
  const named = fitting([...failed, ...succeeded].slice(0, JOBS_NAMED));
  const details = { attempt, objects_applied: applied, jobs: named, duration_ms: Math.max(0, Math.round(durationMs)) };
  if (failed.length > 0) return failedOrder(failed.map(jobText).join('; '), { details });
  const parts = [`applied ${applied} object${applied === 1 ? '' : 's'}`, ...jobs.map(jobText)];
  return { success: true, message: redactText(parts.join('; ')).slice(0, MESSAGE_CHARACTERS), details };
}

const bytesOf = (job: JobOutcome): number => Buffer.byteLength(JSON.stringify(job));

/** The Jobs with as many of their logs and messages as fit into a report, those of the first Jobs before the others. */
function fitting(jobs: readonly JobOutcome[]): JobOutcome[] {
  const bare = jobs.map(({ kind, namespace, name, outcome }): JobOutcome => ({ kind, namespace, name, outcome }));
  let left = JOBS_BYTES - bare.reduce((sum, job) => sum + bytesOf(job), 0);
  return jobs.map((job, index) => {
    const { log_tail, ...rest } = job;
    const withoutLog = { ...rest, ...(log_tail !== undefined && { log_missing: 'the report has no room left for this log' }) };
    const least = bare[index] ?? withoutLog;
    const fits = [job, withoutLog].find((form) => bytesOf(form) - bytesOf(least) <= left) ?? least;
    left -= bytesOf(fits) - bytesOf(least);
    return fits;
  });
}

const OUTCOMES = { succeeded: 'succeeded', failed: 'failed', timed_out: 'did not end in time', stopped: 'was stopped' } as const;

function jobText({ kind, namespace, name, outcome, reason, message, image_digest }: JobOutcome): string {
  const why = [reason, message].filter(Boolean).join(': ');
  const digest = image_digest === undefined ? '' : `, image ${image_digest}`;
  return `${kind}/${namespace}/${name} ${OUTCOMES[outcome]}${why === '' || outcome === 'succeeded' ? '' : `: ${why}`}${digest}`;
}
