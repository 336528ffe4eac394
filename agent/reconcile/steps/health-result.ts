import type { LiveObject } from '../../cluster/cluster.ts';
import type { AttemptResult, StackAttempt } from '../apply/stack-attempt.ts';
import type { Desired } from '../desired/desired.ts';
import { goesUnseen, isDone } from '../health/finished-jobs.ts';
import { type HealthWait, judgeHealth, nextLookMs } from '../health/health-wait.ts';
import { hasHealth, isLeaving } from '../health/stack-health.ts';
import type { BindingModes } from '../health/volume-binding.ts';
import { HELD_LOOK_MS } from './stack-progress.ts';
import { checkAtMs, type StepPorts } from './step-ports.ts';
import type { StepResult } from './step-result.ts';

/** The applied objects have to become healthy too, until a deadline that may have been set before. */
export function startHealthWait(
  ports: StepPorts,
  attempt: StackAttempt,
  { outcome, live }: AttemptResult,
  { startedMs, deadlineMs }: { startedMs: number; deadlineMs?: number | undefined },
): StepResult {
  const { policy, desired, deployment } = attempt;
  if (outcome.status === 'FAILURE')
    return { outcome, startedMs, live, patienceMs: policy.healthTimeoutMs, ...(outcome.held && { retryAfterMs: HELD_LOOK_MS }) };
  const nowMs = ports.effects.clock.monotonicMs();
  const waits = (object: Desired) => {
    const found = live.get(object.key);
    if (isLeaving(found)) return true;
    return policy.health === 'wait' && hasHealth(object.ref) && (found !== undefined || !isDone(object, attempt));
  };
  const wait = {
    deploymentObjectId: deployment.objectId,
    startedMs,
    deadlineMs: deadlineMs ?? nowMs + policy.healthTimeoutMs,
    lookAtMs: nowMs + nextLookMs(0),
    pending: desired.filter(waits).map(({ key, ref, hasStatus, manifest }) => ({ key, ref, hasStatus, goes: goesUnseen(manifest) })),
    outcome,
  };
  return { ...judgeWait(ports, wait, live, new Map()), live };
}

export function judgeWait(ports: StepPorts, wait: HealthWait, live: ReadonlyMap<string, LiveObject>, modes: BindingModes): StepResult {
  const verdict = judgeHealth(wait, live, modes, ports.effects.clock.monotonicMs());
  if (!verdict.done) return { healthWait: { ...wait, pending: verdict.pending } };
  const { outcome } = verdict;
  const { startedMs } = wait;
  return outcome.status === 'SUCCESS'
    ? { outcome, startedMs, verified: { checkAtMs: checkAtMs(ports, wait.outcome) } }
    : { outcome, startedMs };
}
