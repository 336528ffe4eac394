import type { Assignment } from '../../lib/fleet/protocol/agent-protocol.ts';
import { YamlError } from '../../lib/fleet/protocol/yaml-rules.ts';
import { ClusterError } from '../cluster/cluster.ts';
import { ControlPlaneError } from '../control-plane/control-plane.ts';
import type { Worked } from '../work-queue.ts';
import { ManifestError } from './desired/manifests.ts';
import { InventoryError } from './inventory/inventory-store.ts';
import { isFailing, newNotes, type StackNotes, setBack } from './stack-memory.ts';
import { nextStep, type Step } from './steps/next-step.ts';
import { createStackSteps, type DueStep, type StackStepsOptions } from './steps/stack-steps.ts';

/** Does what is due for one stack. Never rejects for what a stack, the cluster or the control plane may do wrong. */
export type StackReconciler = (stackId: string) => Promise<Worked>;

export interface StackReconcilerOptions extends StackStepsOptions {
  /** The assignment of a stack as far as it is to be followed: none while the agent is not ACTIVE. */
  assignmentOf: (stackId: string) => Assignment | undefined;
}

/** More steps at once than any stack needs: what would go on is looked at again a little later. */
const STEPS_AT_ONCE = 4;
const PAUSE_MS = 1_000;
/** Their messages contain no values of objects. */
const TOLD = [ClusterError, ControlPlaneError, InventoryError, ManifestError, YamlError];

export function createStackReconciler(options: StackReconcilerOptions): StackReconciler {
  const { assignmentOf, effects, inventories, reports, state, metrics, log } = options;
  const { clock, random, stop } = effects;
  const notesOf = new Map<string, StackNotes>();
  const steps = createStackSteps(options);
  const now = () => clock.monotonicMs();

  return async (stackId) => {
    for (let done = 0; done < STEPS_AT_ONCE && !stop.aborted; done += 1) {
      const assignment = assignmentOf(stackId);
      const notes = notesOf.get(stackId) ?? newNotes();
      notesOf.set(stackId, notes);
      const step = stepOf(stackId, assignment, notes);
      if (step.do === 'wait') return { dueMs: step.ms, failing: isFailing(notes) };
      if (step.do === 'nothing' || !assignment) {
        if (step.do === 'nothing') rest(stackId, assignment, notes, step.because);
        return {};
      }
      if (step.do !== 'unreadable') await perform(step, assignment, notes);
      else failed(assignment, notes, step.error, now());
    }
    return stop.aborted ? {} : { dueMs: PAUSE_MS };
  };

  function stepOf(stackId: string, assignment: Assignment | undefined, notes: StackNotes): Step | { do: 'unreadable'; error: unknown } {
    const memory = {
      sequence: state.stack(stackId).sequence,
      reported: reports.last(stackId),
      verified: notes.verified,
      failed: notes.failed,
      healthWait: notes.healthWait,
      checkAtMs: notes.checkAtMs,
    };
    try {
      return nextStep(assignment, inventories.find(stackId), memory, now());
    } catch (error) {
      // An inventory that can't be read: without it nothing of the stack may be touched.
      const waitMs = (notes.failed?.retryAtMs ?? 0) - now();
      return waitMs > 0 ? { do: 'wait', ms: waitMs } : { do: 'unreadable', error };
    }
  }

  async function perform(step: DueStep, assignment: Assignment, notes: StackNotes): Promise<void> {
    const startedMs = now();
    let well = false;
    try {
      well = await steps.run(step, assignment, notes);
    } catch (error) {
      if (stop.aborted) return;
      failed(assignment, notes, error, startedMs);
    }
    metrics.reconciled(step.do, well ? 'success' : 'failure', (now() - startedMs) / 1000);
  }

  function failed(assignment: Assignment, notes: StackNotes, error: unknown, startedMs: number): void {
    setBack(notes, assignment.deployment_object_id ?? '', now(), random);
    log.warn('stack_failed', { stack_id: assignment.stack_id, error });
    // A control plane that could not be asked needs no news of that.
    if (error instanceof ControlPlaneError && error.fault === 'unreachable') return;
    // An error that nobody foresaw may quote anything.
    const isForeseen = TOLD.some((kind) => error instanceof kind);
    const summary = error instanceof Error && isForeseen ? error.message : 'the agent failed unexpectedly: see its log';
    steps.tell(assignment, { status: 'FAILURE', summary, objects: [] }, startedMs);
  }

  function rest(
    stackId: string,
    assignment: Assignment | undefined,
    notes: StackNotes,
    because: Extract<Step, { do: 'nothing' }>['because'],
  ): void {
    if (because === 'removed' || because === 'not assigned') notesOf.delete(stackId);
    const objectId = assignment?.deployment_object_id ?? '';
    if (because !== 'older than what was applied' || notes.staleTold === objectId) return;
    notes.staleTold = objectId;
    metrics.staleAssignment();
    log.warn('older_assignment_refused', { stack_id: stackId, sequence_id: assignment?.sequence_id });
  }
}
