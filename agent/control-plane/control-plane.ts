import type {
  Agent,
  Assignments,
  AuthResponse,
  DeploymentObject,
  HeartbeatReport,
  NewAgentEvent,
} from '../../lib/fleet/protocol/agent-protocol.ts';
import type { ClaimedWorkOrder, CompleteWorkOrder, WorkOrder, WorkOrderLease } from '../../lib/fleet/protocol/work-order-protocol.ts';

/** A whole list with its tag, which means nothing to the agent. */
export interface KnownAssignments {
  etag: string | undefined;
  value: Assignments;
}

/** The work orders of the control plane. An answer that is no failure says what became of a claim. */
export interface WorkOrdersPort {
  /**
   * What the latest answer to `assignments` said of work orders: another text whenever there may be a new one. Undefined if the server says
   * nothing of them, so that an agent has to ask each time.
   */
  workOrdersMark(): string | undefined;
  /** The orders that the agent may claim now, at most `limit`, the best ones first. */
  pendingWorkOrders(agentId: string, limit: number, signal?: AbortSignal): Promise<WorkOrder[]>;
  /** `taken`: another agent was faster, or the order is gone. */
  claimWorkOrder(agentId: string, id: string, leaseSeconds: number, signal?: AbortSignal): Promise<ClaimedWorkOrder | 'taken'>;
  /** `cancelled`: the order is gone; `lost`: the claim is over. */
  renewWorkOrder(id: string, token: string, signal?: AbortSignal): Promise<WorkOrderLease | 'cancelled' | 'lost'>;
  /** `void`: the claim is over, and the result counts for nothing. */
  completeWorkOrder(id: string, result: CompleteWorkOrder, signal?: AbortSignal): Promise<'accepted' | 'void'>;
}

/** The agent's port to the control plane. Every call rejects with a ControlPlaneError, and with nothing else, unless `signal` ends it. */
export interface ControlPlane extends WorkOrdersPort {
  /** Whether it says that it is ready; false also if it can't be reached. */
  ready(signal?: AbortSignal): Promise<boolean>;
  whoAmI(signal?: AbortSignal): Promise<AuthResponse>;
  findAgent(name: string, clusterName: string, signal?: AbortSignal): Promise<Agent>;
  /** Registered already is fine. */
  register(generatorId: string, signal?: AbortSignal): Promise<void>;
  heartbeat(agentId: string, report: HeartbeatReport, signal?: AbortSignal): Promise<void>;
  /** The whole list; 'unchanged' if it is still the known one. */
  assignments(agentId: string, known: KnownAssignments | undefined, signal?: AbortSignal): Promise<KnownAssignments | 'unchanged'>;
  deploymentObject(id: string, signal?: AbortSignal): Promise<DeploymentObject>;
  report(agentId: string, event: NewAgentEvent, signal?: AbortSignal): Promise<void>;
  annotations(agentId: string, signal?: AbortSignal): Promise<{ key: string; value: string }[]>;
  stackAnnotations(stackId: string, signal?: AbortSignal): Promise<{ key: string; value: string }[]>;
  close(): Promise<void>;
}

/**
 * `unreachable`: no whole answer came, or a 5xx · `refused`: a 4xx, which stands until someone changes something ·
 * `unreadable`: an answer that is not what was asked for; nothing may follow from it.
 */
export type ControlPlaneFault = 'unreachable' | 'refused' | 'unreadable';

export class ControlPlaneError extends Error {
  override name = 'ControlPlaneError';
  readonly fault: ControlPlaneFault;
  /** HTTP's, 0 if there was none. */
  readonly status: number;
  constructor(fault: ControlPlaneFault, message: string, { status = 0, cause }: { status?: number; cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.fault = fault;
    this.status = status;
  }
}
