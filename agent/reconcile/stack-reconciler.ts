import type { StackAssignment } from '../control-plane/stack-assignment.ts';
import type { Worked } from '../work-queue.ts';
import { type DueStep, nextStep, type Step } from './steps/next-step.ts';
import { runStep } from './steps/run-step.ts';
import { type InProcess, isFailing, newProgress, type StackProgress } from './steps/stack-progress.ts';
import type { StepPorts } from './steps/step-ports.ts';
import { createStepRecorder, type RecorderPorts } from './steps/step-recorder.ts';

/** Does what is due for one stack. Never rejects for what a stack, the cluster or the control plane may do wrong. */
export type StackReconciler = (stackId: string) => Promise<Worked>;

export interface StackReconcilerOptions extends StepPorts, RecorderPorts {
  /** The assignment of a stack as far as it is to be followed: none while the agent is not ACTIVE. */
  assignmentOf: (stackId: string) => StackAssignment | undefined;
}

/** More steps at once than any stack needs: what would go on is looked at again a little later. */
const STEPS_AT_ONCE = 4;
const PAUSE_MS = 1_000;

export function createStackReconciler(options: StackReconcilerOptions): StackReconciler {
  const { assignmentOf, effects, inventories, state, metrics, log } = options;
  const inProcess = new Map<string, InProcess>();
  const now = () => effects.clock.monotonicMs();
  const recorder = createStepRecorder(options);

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
      if (step.do === 'unreadable') recorder.failed(assignment, progress.inProcess, step.error, now());
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
      recorder.ended(assignment, progress.inProcess, result, { objectId, startedMs });
      if (step.do === 'remove') progress.inProcess.seen.clear();
      if (step.do === 'apply') progress.inProcess.fights.clear();
    } catch (error) {
      if (effects.stop.aborted) return;
      recorder.failed(assignment, progress.inProcess, error, startedMs);
    }
    metrics.reconciled(step.do, well ? 'success' : 'failure', (now() - startedMs) / 1000);
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
