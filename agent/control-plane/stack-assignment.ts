import type { Assignment } from '../../lib/fleet/protocol/agent-protocol.ts';

/** Names one deployment object and its contents. */
export interface DeploymentRef {
  objectId: string;
  sequence: number;
  /** The SHA-256 of its YAML. */
  checksum: string;
}

/** The order of the control plane about one stack. */
export interface StackAssignment {
  stackId: string;
  state: 'assigned' | 'withdrawn';
  isDeletionMarker: boolean;
  /** The stack's newest deployment object; undefined while it has none. */
  deployment: DeploymentRef | undefined;
}

/** An assignment of a stack that has a deployment object. */
export type Assigned = StackAssignment & { deployment: DeploymentRef };

export const isAssigned = (assignment: StackAssignment): assignment is Assigned => assignment.deployment !== undefined;

/** Whether the stack is to go from this agent. */
export const isLeaving = ({ state, isDeletionMarker }: StackAssignment): boolean => state === 'withdrawn' || isDeletionMarker;

/** Nowhere else do the wire's words become the agent's. */
export function stackAssignment({ stack_id, state, is_deletion_marker, ...assignment }: Assignment): StackAssignment {
  const { deployment_object_id: objectId, sequence_id: sequence, checksum } = assignment;
  const deployment = objectId === null || sequence === null || checksum === null ? undefined : { objectId, sequence, checksum };
  return { stackId: stack_id, state, isDeletionMarker: is_deletion_marker, deployment };
}
