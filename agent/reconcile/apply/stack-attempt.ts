import { ClusterError, type LiveObject, type ObjectRef } from '../../cluster/cluster.ts';
import type { DeploymentRef } from '../../control-plane/stack-assignment.ts';
import type { Desired } from '../desired/desired.ts';
import type { Owner } from '../desired/ownership.ts';
import type { StackPolicy } from '../desired/stack-policy.ts';
import type { Outcome } from '../effects/outcome.ts';
import type { Inventory } from '../inventory/inventory.ts';

/** One attempt to bring a stack's contents into the cluster: from the inventory to what is desired. */
export interface StackAttempt {
  owner: Owner;
  deployment: DeploymentRef;
  desired: readonly Desired[];
  /** Objects of kinds that the cluster does not serve yet. Whether they are there is not known. */
  unserved: readonly ObjectRef[];
  policy: StackPolicy;
  inventory: Inventory | undefined;
}

/** `live` has the objects seen last, which spare the next look. */
export interface AttemptResult {
  outcome: Outcome;
  live: ReadonlyMap<string, LiveObject>;
}

/** What the cluster was too busy for, as the outcome of the attempt. Any other error is thrown. */
export function passingFailure(error: unknown): AttemptResult {
  if (error instanceof ClusterError && error.retryable) return failure(error.message, [], true);
  throw error;
}

export const failure = (summary: string, objects: Outcome['objects'] = [], mayPass = false): AttemptResult => ({
  outcome: { status: 'FAILURE', summary, objects, ...(mayPass && { mayPass }) },
  live: new Map(),
});
