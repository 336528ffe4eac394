import type { StackAssignment } from '../../control-plane/stack-assignment.ts';
import type { HealthWait } from '../health/health-wait.ts';
import type { Inventory } from '../inventory/inventory.ts';
import { orderOf, type StackProgress } from './stack-progress.ts';

export type Step =
  | { do: 'nothing'; because: 'not assigned' | 'no contents yet' | 'removed' | 'up to date' | 'older than what was applied' }
  | { do: 'wait'; ms: number }
  | DueStep;

/** A step that does something. */
export type DueStep =
  | { do: 'remove'; because: 'withdrawn' | 'deletion marker' }
  | { do: 'apply' }
  /** Hold what was applied against the cluster. */
  | { do: 'correct-drift' }
  /** Look whether it became healthy. */
  | { do: 'check-health'; wait: HealthWait }
  /** Another deployment object with the very contents that are there. */
  | { do: 'confirm-unchanged' };

/** The one thing due for a stack. Level-triggered: it depends on what is, not on what happened. */
export function nextStep(
  assignment: StackAssignment | undefined,
  inventory: Inventory | undefined,
  { persisted, inProcess }: StackProgress,
  nowMs: number,
): Step {
  // Absence is no order: a stack in neither list is left as it is.
  if (!assignment) return { do: 'nothing', because: 'not assigned' };
  const { deployment } = assignment;
  const { failed, healthWait } = inProcess;
  const retryMs = failed?.order === orderOf(assignment) ? failed.retryAtMs - nowMs : 0;
  const { reported } = persisted;
  const isReported = (type: string) =>
    reported?.deployment_object_id === deployment?.objectId && reported?.event_type === type && reported.status === 'SUCCESS';

  if (assignment.state === 'withdrawn') {
    if (!inventory && (isReported('REMOVE') || !deployment)) return { do: 'nothing', because: 'removed' };
    return retryMs > 0 ? { do: 'wait', ms: retryMs } : { do: 'remove', because: 'withdrawn' };
  }
  if (!deployment) return { do: 'nothing', because: 'no contents yet' };
  const { objectId, sequence, checksum } = deployment;
  if (sequence < Math.max(inventory?.deployment.sequence ?? 0, persisted.sequence ?? 0))
    return { do: 'nothing', because: 'older than what was applied' };
  if (assignment.isDeletionMarker) {
    if (!inventory && isReported('DEPLOY')) return { do: 'nothing', because: 'removed' };
    return retryMs > 0 ? { do: 'wait', ms: retryMs } : { do: 'remove', because: 'deletion marker' };
  }
  if (retryMs > 0) return { do: 'wait', ms: retryMs };
  if (!inventory?.isApplied || inventory.deployment.checksum !== checksum) return { do: 'apply' };
  if (healthWait?.deploymentObjectId === objectId)
    return healthWait.lookAtMs <= nowMs ? { do: 'check-health', wait: healthWait } : { do: 'wait', ms: healthWait.lookAtMs - nowMs };
  if (inProcess.verified !== checksum || failed) return { do: 'correct-drift' };
  if (!isReported('DEPLOY')) return { do: 'confirm-unchanged' };
  if (inProcess.checkAtMs === undefined) return { do: 'nothing', because: 'up to date' };
  return inProcess.checkAtMs <= nowMs ? { do: 'correct-drift' } : { do: 'wait', ms: inProcess.checkAtMs - nowMs };
}
