import type { Assignment } from '../../../lib/fleet/protocol/agent-protocol.ts';
import type { Inventory } from '../inventory/inventory.ts';

/** What an agent remembers of its work on a stack; all of it can be lost. */
export interface StackMemory {
  /** The newest sequence known to be applied, also where the inventory names an older one with equal contents. */
  sequence: number | undefined;
  /** What was last said about it. */
  reported: { deployment_object_id: string; event_type: string; status: string } | undefined;
  /** The contents that this process saw applied, unchanged and in good health. */
  verified: string | undefined;
  /** The object that failed last, and when to try again. */
  failed: { deploymentObjectId: string; retryAtMs: number } | undefined;
  /** Applied, and waiting to become healthy. */
  healthWait: { deploymentObjectId: string; lookAtMs: number } | undefined;
  /** When to look for drift again; undefined where never. */
  checkAtMs: number | undefined;
}

export type Step =
  | { do: 'nothing'; because: 'not assigned' | 'no contents yet' | 'removed' | 'up to date' | 'older than what was applied' }
  | { do: 'wait'; ms: number }
  | { do: 'remove'; because: 'withdrawn' | 'deletion marker' }
  | { do: 'apply' }
  /** Hold what was applied against the cluster. */
  | { do: 'check' }
  /** Look whether it became healthy. */
  | { do: 'look' }
  /** Another deployment object with the very contents that are there. */
  | { do: 'adopt' };

/** The one thing due for a stack. Level-triggered: it depends on what is, not on what happened. */
export function nextStep(assignment: Assignment | undefined, inventory: Inventory | undefined, memory: StackMemory, nowMs: number): Step {
  // Absence is no order: a stack in neither list is left as it is.
  if (!assignment) return { do: 'nothing', because: 'not assigned' };
  const { deployment_object_id: objectId, sequence_id: sequence, checksum } = assignment;
  const retry =
    memory.failed && memory.failed.deploymentObjectId === (objectId ?? '') && memory.failed.retryAtMs > nowMs
      ? memory.failed.retryAtMs - nowMs
      : undefined;
  const said = (type: string) =>
    memory.reported?.deployment_object_id === objectId && memory.reported.event_type === type && memory.reported.status === 'SUCCESS';

  if (assignment.state === 'withdrawn') {
    if (!inventory && (said('REMOVE') || objectId === null)) return { do: 'nothing', because: 'removed' };
    return retry === undefined ? { do: 'remove', because: 'withdrawn' } : { do: 'wait', ms: retry };
  }
  if (objectId === null || sequence === null || checksum === null) return { do: 'nothing', because: 'no contents yet' };
  if (sequence < Math.max(inventory?.sequence ?? 0, memory.sequence ?? 0)) return { do: 'nothing', because: 'older than what was applied' };
  if (assignment.is_deletion_marker) {
    if (!inventory && said('DEPLOY')) return { do: 'nothing', because: 'removed' };
    return retry === undefined ? { do: 'remove', because: 'deletion marker' } : { do: 'wait', ms: retry };
  }
  if (retry !== undefined) return { do: 'wait', ms: retry };
  if (inventory?.checksum !== checksum) return { do: 'apply' };
  if (memory.healthWait?.deploymentObjectId === objectId) {
    return memory.healthWait.lookAtMs <= nowMs ? { do: 'look' } : { do: 'wait', ms: memory.healthWait.lookAtMs - nowMs };
  }
  if (memory.verified !== checksum || memory.failed) return { do: 'check' };
  if (!said('DEPLOY')) return { do: 'adopt' };
  if (memory.checkAtMs === undefined) return { do: 'nothing', because: 'up to date' };
  return memory.checkAtMs <= nowMs ? { do: 'check' } : { do: 'wait', ms: memory.checkAtMs - nowMs };
}
