import { ClusterError } from '../../cluster/cluster.ts';
import type { Assigned } from '../../control-plane/stack-assignment.ts';
import { ownedBy } from '../desired/ownership.ts';
import { noteFinishedJobs } from '../health/finished-jobs.ts';
import { type HealthWait, nextLookMs } from '../health/health-wait.ts';
import { withPodReasons } from '../health/pod-reasons.ts';
import { bindingModesFor } from '../health/volume-binding.ts';
import { observe } from '../plan/observe.ts';
import { correctDriftStep } from './correct-drift-step.ts';
import { judgeWait } from './health-result.ts';
import type { StackProgress } from './stack-progress.ts';
import type { StepPorts } from './step-ports.ts';
import type { StepResult } from './step-result.ts';

const LOOK_AFTER_ERROR_MS = 5_000;

/** Looks whether what was applied has become healthy. A cluster that can't be read is asked again until the deadline. */
export async function checkHealthStep(
  ports: StepPorts,
  assignment: Assigned,
  progress: StackProgress,
  wait: HealthWait,
): Promise<StepResult> {
  const nowMs = () => ports.effects.clock.monotonicMs();
  try {
    return await look(ports, assignment, progress, wait);
  } catch (error) {
    if (!(error instanceof ClusterError && error.retryable) || nowMs() >= wait.deadlineMs) throw error;
    return { healthWait: { ...wait, lookAtMs: nowMs() + LOOK_AFTER_ERROR_MS } };
  }
}

async function look(ports: StepPorts, assignment: Assigned, progress: StackProgress, wait: HealthWait): Promise<StepResult> {
  const { agentId, effects, inventories } = ports;
  const { stackId } = assignment;
  const refs = wait.pending.map(({ ref }) => ref);
  const { live, unknown } = await observe(effects, refs, ownedBy({ agentId, stackId }));
  // Nothing is healthy that can't be looked at.
  for (const error of unknown.values()) throw error;
  // An object that was being deleted took along what was applied to it.
  if (wait.pending.some(({ key, leaving, goes }) => leaving && !goes && !live.has(key)))
    return correctDriftStep(ports, assignment, progress, wait);
  await noteFinishedJobs(inventories, stackId, live);
  const modes = await bindingModesFor(effects.cluster, live.values(), effects.stop);
  const nowMs = effects.clock.monotonicMs();
  const result = judgeWait(ports, { ...wait, lookAtMs: nowMs + nextLookMs(nowMs - wait.startedMs) }, live, modes);
  return result.outcome?.status === 'FAILURE' ? { ...result, outcome: await withPodReasons(effects, result.outcome, live) } : result;
}
