import { createHash, randomUUID } from 'node:crypto';
import { type ControlPlane, ControlPlaneError } from '../../agent/control-plane/control-plane.ts';
import type { Assignment, Assignments, DeploymentObject, NewAgentEvent } from '../../lib/fleet/protocol/agent-protocol.ts';

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

  const plane: ModelControlPlane = {
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
    close: async () => {},
  };
  return plane;
}
