import { YamlError } from '../../lib/fleet/protocol/yaml-rules.ts';
import type { Log } from '../../lib/platform/log.ts';
import type { AgentMetrics } from '../agent-metrics.ts';
import { ClusterError } from '../cluster/cluster.ts';
import { ControlPlaneError } from '../control-plane/control-plane.ts';
import type { StackAssignment } from '../control-plane/stack-assignment.ts';
import { MESSAGES } from '../operator-messages.ts';
import type { Reports } from '../reports.ts';
import type { Worked } from '../work-queue.ts';
import { ManifestError } from './desired/manifests.ts';
import type { Outcome } from './effects/outcome.ts';
import { InventoryError } from './inventory/inventory-store.ts';
import { type DueStep, nextStep, type Step } from './steps/next-step.ts';
import { runStep } from './steps/run-step.ts';
import { type InProcess, isFailing, newProgress, type StackProgress, scheduleRetry } from './steps/stack-progress.ts';
import type { StepPorts } from './steps/step-ports.ts';
import type { StepResult } from './steps/step-result.ts';

/** Does what is due for one stack. Never rejects for what a stack, the cluster or the control plane may do wrong. */
export type StackReconciler = (stackId: string) => Promise<Worked>;

export interface StackReconcilerOptions extends StepPorts {
  /** The assignment of a stack as far as it is to be followed: none while the agent is not ACTIVE. */
  assignmentOf: (stackId: string) => StackAssignment | undefined;
  reports: Reports;
  metrics: AgentMetrics;
  log: Log;
}

/** More steps at once than any stack needs: what would go on is looked at again a little later. */
const STEPS_AT_ONCE = 4;
const PAUSE_MS = 1_000;
/** Their messages contain no values of objects. */
const FORESEEN = [ClusterError, ControlPlaneError, InventoryError, ManifestError, YamlError];

export function createStackReconciler(options: StackReconcilerOptions): StackReconciler {
  const { assignmentOf, effects, inventories, state, metrics, log } = options;
  const inProcess = new Map<string, InProcess>();
  const now = () => effects.clock.monotonicMs();
  const { record, report } = createRecorder(options);

  return async (stackId) => {
    for (let done = 0; done < STEPS_AT_ONCE && !effects.stop.aborted; done += 1) {
      const assignment = assignmentOf(stackId);
      const progress = progressOf(stackId);
      const step = stepOf(stackId, assignment, progress);
      if (step.do === 'wait') return { dueMs: step.ms, failing: isFailing(progress.inProcess) };
      if (step.do === 'nothing' || !assignment) {
        if (step.do === 'nothing') rest(stackId, assignment, progress.inProcess, step.because);
        return {};
      }
      if (step.do === 'unreadable') fail(assignment, progress, step.error, now());
      else await perform(step, assignment, progress);
    }
    return effects.stop.aborted ? {} : { dueMs: PAUSE_MS };
  };

  function progressOf(stackId: string): StackProgress {
    const kept = inProcess.get(stackId) ?? newProgress();
    inProcess.set(stackId, kept);
    return { persisted: state.stack(stackId), inProcess: kept };
  }

  function stepOf(
    stackId: string,
    assignment: StackAssignment | undefined,
    progress: StackProgress,
  ): Step | { do: 'unreadable'; error: unknown } {
    try {
      return nextStep(assignment, inventories.find(stackId), progress, now());
    } catch (error) {
      // An inventory that can't be read: without it nothing of the stack may be touched.
      const waitMs = (progress.inProcess.failed?.retryAtMs ?? 0) - now();
      return waitMs > 0 ? { do: 'wait', ms: waitMs } : { do: 'unreadable', error };
    }
  }

  async function perform(step: DueStep, assignment: StackAssignment, progress: StackProgress): Promise<void> {
    const startedMs = now();
    // A removal deletes the inventory that names it.
    const objectId = assignment.deployment?.objectId ?? inventories.find(assignment.stackId)?.deployment.objectId;
    let well = false;
    try {
      const result = await runStep(options, step, assignment, progress);
      well = result.outcome?.status !== 'FAILURE';
      record(assignment, progress.inProcess, result);
      if (step.do === 'remove') progress.inProcess.seen.clear();
      if (result.outcome) report(assignment, objectId, result.outcome, result.startedMs ?? startedMs, (result.corrected ?? 0) > 0);
    } catch (error) {
      if (effects.stop.aborted) return;
      fail(assignment, progress, error, startedMs);
    }
    metrics.reconciled(step.do, well ? 'success' : 'failure', (now() - startedMs) / 1000);
  }

  function fail(assignment: StackAssignment, progress: StackProgress, error: unknown, startedMs: number): void {
    log.warn('stack_failed', { stack_id: assignment.stackId, error });
    const isForeseen = FORESEEN.some((kind) => error instanceof kind);
    // An error that nobody foresaw may quote anything.
    const summary = error instanceof Error && isForeseen ? error.message : MESSAGES.unforeseen();
    const outcome: Outcome = { status: 'FAILURE', summary, objects: [] };
    record(assignment, progress.inProcess, { outcome, removal: progress.inProcess.removal });
    // A control plane that could not be asked needs no news of that.
    if (error instanceof ControlPlaneError && error.fault === 'unreachable') return;
    report(assignment, assignment.deployment?.objectId, outcome, startedMs, false);
  }

  function rest(
    stackId: string,
    assignment: StackAssignment | undefined,
    progress: InProcess,
    because: Extract<Step, { do: 'nothing' }>['because'],
  ): void {
    if (because === 'removed' || because === 'not assigned') inProcess.delete(stackId);
    const objectId = assignment?.deployment?.objectId ?? '';
    if (because !== 'older than what was applied' || progress.staleLogged === objectId) return;
    progress.staleLogged = objectId;
    metrics.staleAssignment();
    log.warn('older_assignment_refused', { stack_id: stackId, sequence_id: assignment?.deployment?.sequence });
  }
}

/** The only place that writes down what became of a step. */
function createRecorder({ effects, reports, state, metrics, log }: StackReconcilerOptions) {
  const now = () => effects.clock.monotonicMs();

  function record({ stackId, deployment }: StackAssignment, progress: InProcess, result: StepResult): void {
    const { outcome, verified, healthWait, retryAfterMs, removal, corrected = 0, live = new Map() } = result;
    for (const [key, { metadata }] of live) progress.seen.set(key, metadata.resourceVersion);
    progress.healthWait = healthWait;
    progress.removal = removal;
    progress.verified = verified && deployment?.checksum;
    if (verified && deployment) {
      progress.checkAtMs = verified.checkAtMs;
      state.noteApplied(stackId, deployment.sequence);
    }
    if (outcome?.status === 'FAILURE' || retryAfterMs !== undefined)
      scheduleRetry(progress, deployment?.objectId ?? '', { nowMs: now(), random: effects.random, ms: retryAfterMs });
    else if (outcome || verified) progress.failed = undefined;
    if (corrected === 0) return;
    metrics.driftCorrected(corrected);
    log.warn('drift_corrected', { stack_id: stackId, objects: corrected });
  }

  function report(assignment: StackAssignment, objectId: string | undefined, outcome: Outcome, startedMs: number, again: boolean): void {
    if (objectId === undefined) return;
    const { stackId, state: assigned } = assignment;
    const durationMs = now() - startedMs;
    if (outcome.held) metrics.deletionsHeld();
    log.info('reconciled', {
      stack_id: stackId,
      deployment_object_id: objectId,
      status: outcome.status,
      objects: outcome.objects.length,
      duration_ms: Math.round(durationMs),
    });
    reports.submit({
      stackId,
      deploymentObjectId: objectId,
      type: assigned === 'withdrawn' ? 'remove' : 'deploy',
      outcome,
      durationMs,
      again,
    });
  }

  return { record, report };
}
