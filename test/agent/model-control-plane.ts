import { createHash, randomUUID } from 'node:crypto';
import { type ControlPlane, ControlPlaneError } from '../../agent/control-plane/control-plane.ts';
import type { Assignment, Assignments, DeploymentObject, NewAgentEvent } from '../../lib/fleet/protocol/agent-protocol.ts';
import { CompleteWorkOrder, type WorkOrder } from '../../lib/fleet/protocol/work-order-protocol.ts';

/** A control plane as small as can be: one agent, its stacks, and what it was told. */
export interface ModelControlPlane extends ControlPlane {
  readonly agentId: string;
  status: string;
  /** No answer to anything. */
  dark: boolean;
  /** Awaited before each call; what it throws is the call's failure. */
  intercept: ((call: string) => void | Promise<void>) | undefined;
  afterwards: ((call: string) => void | Promise<void>) | undefined;
  readonly calls: string[];
  readonly events: NewAgentEvent[];
  readonly heartbeats: unknown[];
  readonly stackAnnotationsOf: Map<string, Record<string, string>>;
  readonly agentAnnotations: { key: string; value: string }[];
  newStack(): string;
  post(stackId: string, yaml: string, options?: { marker?: boolean; sequence?: number }): DeploymentObject;
  withdraw(stackId: string): void;
  /** Drops the stack without a word, as no server of ours would. */
  forget(stackId: string): void;
  /** The state of the world changed in some other way. */
  touch(): void;
  current(): Assignments;
  bodies: Map<string, DeploymentObject>;
  readonly orders: ModelOrders;
}

/** Work orders of the one agent, as a server with leases has them. */
export interface ModelOrders {
  /** Those that nobody has ended yet. */
  live: Map<string, { order: WorkOrder; attempt: number; token: string | undefined }>;
  /** What was reported, in order. */
  results: (CompleteWorkOrder & { id: string })[];
  /** Adds an order and tells the agent at its next poll. */
  add(yaml: string, more?: Partial<WorkOrder>): string;
  /** Whether the server says in its answers that there may be new ones. */
  tells: boolean;
  /** Lets another agent be faster with this order. */
  takenByOthers: Set<string>;
  /** Ends the claim on an order, as if its lease were over. */
  expire(id: string): void;
  leaseSeconds: number | undefined;
  /** Results that are refused though they are valid, as one that is too large. */
  refuses: ((result: CompleteWorkOrder) => boolean) | undefined;
}

export const AGENT_NAME = 'edge';
export const CLUSTER_NAME = 'test';

export function createModelControlPlane({ agentId = randomUUID() }: { agentId?: string } = {}): ModelControlPlane {
  const assigned = new Map<string, Assignment>();
  const bodies = new Map<string, DeploymentObject>();
  let moves = 1;
  const revision = () => `r${moves}`;
  let sequence = 0;
  const now = () => new Date(0).toISOString();

  async function called<T>(call: string, run: () => T): Promise<T> {
    plane.calls.push(call);
    await plane.intercept?.(call);
    if (plane.dark) throw new ControlPlaneError('unreachable', `${call}: it is dark`);
    const result = run();
    await plane.afterwards?.(call);
    return result;
  }

  const assign = (object: DeploymentObject, state: Assignment['state']) => {
    assigned.set(object.stack_id, {
      stack_id: object.stack_id,
      state,
      deployment_object_id: object.id,
      sequence_id: object.sequence_id,
      checksum: object.yaml_checksum,
      is_deletion_marker: object.is_deletion_marker,
    });
    moves += 1;
  };

  let mark = 1;
  const orders: ModelOrders = {
    live: new Map(),
    results: [],
    tells: true,
    takenByOthers: new Set(),
    leaseSeconds: 60,
    refuses: undefined,
    add(yaml, more = {}) {
      const id = randomUUID();
      const order: WorkOrder = {
        id,
        created_at: now(),
        updated_at: now(),
        work_type: 'custom',
        yaml_content: yaml,
        status: 'PENDING',
        claimed_by: null,
        claimed_at: null,
        claim_timeout_seconds: 3_600,
        max_retries: 3,
        retry_count: 0,
        backoff_seconds: 60,
        next_retry_after: null,
        last_error: null,
        last_error_at: null,
        ...more,
      };
      orders.live.set(id, { order, attempt: 0, token: undefined });
      mark += 1;
      return id;
    },
    expire(id) {
      const held = orders.live.get(id);
      if (held) held.token = undefined;
      mark += 1;
    },
  };

  const plane: ModelControlPlane = {
    orders,
    agentId,
    status: 'ACTIVE',
    dark: false,
    intercept: undefined,
    afterwards: undefined,
    calls: [],
    events: [],
    heartbeats: [],
    agentAnnotations: [],
    stackAnnotationsOf: new Map(),
    bodies,
    newStack: () => randomUUID(),
    post(stackId, yaml, { marker = false, sequence: given } = {}) {
      sequence = Math.max(sequence + 1, given ?? 0);
      const object: DeploymentObject = {
        id: randomUUID(),
        created_at: now(),
        updated_at: now(),
        deleted_at: null,
        sequence_id: given ?? sequence,
        stack_id: stackId,
        yaml_content: yaml,
        yaml_checksum: createHash('sha256').update(yaml).digest('hex'),
        submitted_at: now(),
        is_deletion_marker: marker,
      };
      bodies.set(object.id, object);
      assign(object, 'assigned');
      return object;
    },
    withdraw(stackId) {
      const object = bodies.get(assigned.get(stackId)?.deployment_object_id ?? '');
      if (object) assign(object, 'withdrawn');
    },
    forget(stackId) {
      assigned.delete(stackId);
      moves += 1;
    },
    touch() {
      moves += 1;
    },
    current: () => ({ agent_id: agentId, status: plane.status, revision: revision(), assignments: [...assigned.values()] }),

    ready: async () => {
      plane.calls.push('readyz');
      return !plane.dark;
    },
    whoAmI: () => called('auth', () => ({ admin: false, agent: agentId, generator: null, readonly: false })),
    findAgent: (name, cluster_name) =>
      called('agent', () => ({
        id: agentId,
        created_at: now(),
        updated_at: now(),
        deleted_at: null,
        name,
        cluster_name,
        status: plane.status,
        last_heartbeat: null,
        k8s_reachable: null,
        k8s_api_latency_ms: null,
        k8s_reported_at: null,
      })),
    register: (id) => called(`register ${id}`, () => {}),
    heartbeat: (_id, report) => called('heartbeat', () => void plane.heartbeats.push(report)),
    assignments: (_id, known) =>
      called('assignments', () => {
        const value = plane.current();
        return known?.etag === `"${value.revision}"` ? ('unchanged' as const) : { etag: `"${value.revision}"`, value };
      }),
    deploymentObject: (id) =>
      called('deployment-object', () => {
        const object = bodies.get(id);
        if (!object) throw new ControlPlaneError('refused', 'there is no such object', { status: 404 });
        return object;
      }),
    report: (_id, event) =>
      called('report', () => {
        plane.events.push(event);
        if (event.event_type !== 'REMOVE' || event.status !== 'SUCCESS') return;
        for (const [stackId, { state, deployment_object_id }] of assigned) {
          if (state === 'withdrawn' && deployment_object_id === event.deployment_object_id) plane.forget(stackId);
        }
      }),
    annotations: () => called('annotations', () => plane.agentAnnotations),
    stackAnnotations: (stackId) =>
      called('stack-annotations', () =>
        Object.entries(plane.stackAnnotationsOf.get(stackId) ?? {}).map(([key, value]) => ({ key, value })),
      ),
    workOrdersMark: () => (orders.tells ? `m${mark}` : undefined),
    pendingWorkOrders: (_id, limit) =>
      called('pending-orders', () =>
        [...orders.live.values()]
          .filter(({ token }) => token === undefined)
          .map(({ order }) => order)
          .slice(0, limit),
      ),
    claimWorkOrder: (_id, id, seconds) =>
      called(`claim ${id}`, () => {
        const found = orders.live.get(id);
        if (!found || found.token !== undefined || orders.takenByOthers.has(id)) return 'taken' as const;
        found.attempt += 1;
        found.token = `t${found.attempt}`;
        const claimed = { ...found.order, status: 'CLAIMED' as const, claimed_by: agentId, claimed_at: now() };
        if (orders.leaseSeconds === undefined) return claimed;
        return { ...claimed, lease: { token: found.token, attempt: found.attempt, seconds: Math.min(seconds, orders.leaseSeconds) } };
      }),
    renewWorkOrder: (id, token) =>
      called(`renew ${id}`, () => {
        const found = orders.live.get(id);
        if (!found) return 'cancelled' as const;
        return found.token === token ? { token, attempt: found.attempt, seconds: orders.leaseSeconds ?? 0 } : ('lost' as const);
      }),
    completeWorkOrder: (id, result) =>
      called(`complete ${id}`, () => {
        const found = orders.live.get(id);
        if (!found || (orders.leaseSeconds !== undefined && found.token !== result.token)) return 'void' as const;
        if (!CompleteWorkOrder.safeParse(result).success || orders.refuses?.(result))
          throw new ControlPlaneError('refused', 'the result is invalid', { status: 422 });
        orders.results.push({ ...result, id });
        orders.live.delete(id);
        return 'accepted' as const;
      }),
    close: async () => {},
  };
  return plane;
}
