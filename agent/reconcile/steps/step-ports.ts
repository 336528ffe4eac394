import { jitteredMs } from '../../../lib/platform/backoff.ts';
import type { Assigned, DeploymentRef } from '../../control-plane/stack-assignment.ts';
import type { AgentState } from '../../state/agent-state.ts';
import type { StackAttempt } from '../apply/stack-attempt.ts';
import { desiredObjects } from '../desired/desired.ts';
import type { StackAnnotations } from '../desired/stack-annotations.ts';
import type { StackContents } from '../desired/stack-contents.ts';
import { stackPolicy } from '../desired/stack-policy.ts';
import type { Outcome } from '../effects/outcome.ts';
import { leaveToControllers } from '../plan/controller-fields.ts';
import type { AttemptPorts } from '../removal/attempt-ports.ts';

export interface StepPorts extends AttemptPorts {
  agentId: string;
  contents: StackContents;
  annotations: StackAnnotations;
  state: AgentState;
  /** For namespaced objects that name none. */
  defaultNamespace: string;
  healthTimeoutMs: number;
  /** 0: drift is never looked for. */
  driftIntervalMs: number;
}

/** Dropped objects go stage by stage: the next one after the last is gone. */
const LEFTOVERS_LOOK_MS = 10_000;

/** When to look for drift after all was well. */
export function checkAtMs({ effects, driftIntervalMs }: StepPorts, { unfinished }: Pick<Outcome, 'unfinished'>): number | undefined {
  const intervalMs = unfinished ? LEFTOVERS_LOOK_MS : driftIntervalMs;
  return intervalMs > 0 ? effects.clock.monotonicMs() + jitteredMs(intervalMs, 0.1, effects.random) : undefined;
}

/** `deployment` is the one that the marks on the objects name; `fresh` reads the stack's annotations anew. */
export async function prepareAttempt(
  ports: StepPorts,
  assignment: Assigned,
  deployment: DeploymentRef,
  { fresh = false }: { fresh?: boolean } = {},
): Promise<StackAttempt> {
  const { agentId, contents, annotations, effects, inventories, defaultNamespace, healthTimeoutMs } = ports;
  const owner = { agentId, stackId: assignment.stackId };
  const [manifests, stackAnnotations] = await Promise.all([contents.take(assignment), annotations.of(assignment, { fresh })]);
  const policy = stackPolicy(manifests, stackAnnotations, { healthTimeoutMs });
  const placing = { owner, deployment, defaultNamespace, isReserved: inventories.isInventory, recreate: policy.recreate };
  const { desired, unserved } = await desiredObjects(effects.cluster, manifests, placing, effects.stop);
  return {
    owner,
    deployment,
    desired: await leaveToControllers(effects, desired, stackAnnotations),
    unserved,
    policy,
    inventory: inventories.find(assignment.stackId),
  };
}
