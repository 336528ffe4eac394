import type { Assignment } from '../../lib/fleet/protocol/agent-protocol.ts';
import type { Outcome } from './outcome.ts';
import type { PruneReason } from './plan.ts';
import { removeStack } from './remove-stack.ts';
import { HELD_LOOK_MS, type StackNotes } from './stack-memory.ts';
import type { StackStepsOptions } from './stack-steps.ts';

/** What a removal shares with the other steps. */
interface Steps {
  later(assignment: Assignment, notes: StackNotes, ms?: number): void;
  applied(assignment: Assignment): void;
  tell(assignment: Assignment, outcome: Outcome, startedMs: number): void;
}

const TERMINATING_LOOK_MS = 2_000;

/** Deletes what a withdrawn stack owns, or one whose newest object is a deletion marker; told when all of it is gone, or is late. */
export function createRemoval(options: StackStepsOptions, { later, applied, tell }: Steps) {
  const { agentId, effects, inventories, state } = options;

  return async (assignment: Assignment, notes: StackNotes, because: PruneReason): Promise<boolean> => {
    const startedMs = effects.clock.monotonicMs();
    const { stack_id: stackId } = assignment;
    notes.healthWait = undefined;
    notes.verified = undefined;
    const deploymentObjectId = assignment.deployment_object_id ?? inventories.find(stackId)?.deploymentObjectId ?? null;
    const { outcome, remaining } = await removeStack(options, { agentId, stackId }, because);
    const accepted = outcome.status === 'SUCCESS';
    const told = { ...assignment, deployment_object_id: deploymentObjectId };
    if (accepted && remaining > 0) {
      notes.terminatingSinceMs ??= startedMs;
      const late = startedMs - notes.terminatingSinceMs >= options.healthTimeoutMs;
      // Finalizers may be right to take their time: it goes on, but somebody should know.
      if (late) tell(told, { ...outcome, status: 'FAILURE' }, notes.terminatingSinceMs);
      later(assignment, notes, late ? undefined : TERMINATING_LOOK_MS);
      return !late;
    }
    notes.seen.clear();
    if (!accepted) later(assignment, notes, outcome.held ? HELD_LOOK_MS : undefined);
    else {
      notes.failed = undefined;
      notes.terminatingSinceMs = undefined;
      if (because === 'withdrawn') state.forgetSequence(stackId);
      else applied(assignment);
    }
    tell(told, outcome, startedMs);
    return accepted;
  };
}
