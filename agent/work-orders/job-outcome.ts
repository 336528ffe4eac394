import type { JobOutcome } from '../../lib/fleet/protocol/work-order-protocol.ts';
import { redactText } from '../../lib/platform/redaction.ts';
import type { LiveObject } from '../cluster/cluster.ts';
import { isObject } from '../cluster/json-object.ts';
import { conditionOf } from '../reconcile/health/object-health-fields.ts';

type Ended = Pick<JobOutcome, 'outcome' | 'reason' | 'message' | 'image_digest'>;

/** How a Job or a BuildRun ended; undefined while it runs. */
export function endOf(live: LiveObject): Ended | undefined {
  return live.kind === 'BuildRun' ? endOfBuildRun(live) : endOfJob(live);
}

function endOfJob(live: LiveObject): Ended | undefined {
  if (conditionOf(live, 'Complete')?.status === 'True') return { outcome: 'succeeded' };
  const failed = conditionOf(live, 'Failed');
  if (failed?.status !== 'True') return undefined;
  return { outcome: failed.reason === 'DeadlineExceeded' ? 'timed_out' : 'failed', ...reasonOf(failed) };
}

function endOfBuildRun(live: LiveObject): Ended | undefined {
  const succeeded = conditionOf(live, 'Succeeded');
  if (succeeded?.status === 'True') {
    const output = isObject(live.status) && isObject(live.status.output) ? live.status.output : {};
    return { outcome: 'succeeded', ...(typeof output.digest === 'string' && { image_digest: output.digest }) };
  }
  return succeeded?.status === 'False' ? { outcome: 'failed', ...reasonOf(succeeded) } : undefined;
}

const reasonOf = ({ reason, message }: { reason?: unknown; message?: unknown }): Pick<Ended, 'reason' | 'message'> => ({
  ...(typeof reason === 'string' && reason !== '' && { reason: reason.slice(0, 1_000) }),
  ...(typeof message === 'string' && message !== '' && { message: redactText(message).slice(0, 4_000) }),
});
