import type { Assignment, ObjectOutcome } from '../../../lib/fleet/protocol/agent-protocol.ts';
import { ControlPlaneError } from '../../control-plane/control-plane.ts';
import { objectKey } from '../desired/object-key.ts';
import { isAssigned } from '../desired/stack-contents.ts';
import { countsText, type Outcome, refIn } from '../effects/outcome.ts';
import { labelledObjects } from '../inventory/lost-inventory.ts';
import { ownDefinitions } from '../inventory/observe-owned.ts';
import type { PruneReason } from '../plan/plan.ts';
import { removeStack } from '../removal/remove-stack.ts';
import { HELD_LOOK_MS, type StackNotes } from '../stack-memory.ts';
import type { StackStepsOptions } from './stack-steps.ts';

/** What a removal shares with the other steps. */
interface Steps {
  later(assignment: Assignment, notes: StackNotes, ms?: number): void;
  applied(assignment: Assignment): void;
  tell(assignment: Assignment, outcome: Outcome, startedMs: number): void;
}

const TERMINATING_LOOK_MS = 2_000;

const INVENTORY_MISSING: Outcome = {
  status: 'FAILURE',
  summary: 'its inventory is missing, so what it owns is not known: deploy it once more, then remove it again',
  objects: [],
};

/** Deletes what a withdrawn stack owns, or one whose newest object is a deletion marker; told when all of it is gone, or is late. */
export function createRemoval(options: StackStepsOptions, { later, applied, tell }: Steps) {
  const { agentId, contents, effects, inventories, state } = options;

  /** Whether it is certain what the stack owns. Where there is no inventory, what its labels find becomes one. */
  async function isKnown(assignment: Assignment): Promise<boolean> {
    const { stack_id: stackId, is_deletion_marker: isMarker } = assignment;
    if (inventories.find(stackId) || !isAssigned(assignment)) return true;
    const { sequence_id: sequence, deployment_object_id: deploymentObjectId } = assignment;
    const manifests = await contents.manifests(assignment).catch((error: unknown) => {
      if (error instanceof ControlPlaneError && error.fault === 'unreachable') throw error;
      return undefined;
    });
    const objects = manifests ? await labelledObjects(effects.cluster, { agentId, stackId }, manifests, effects.stop) : [];
    if (objects.length > 0) {
      const definitions = ownDefinitions(manifests ?? []);
      await inventories.put({ stackId, sequence, deploymentObjectId, checksum: null, createdNamespaces: [], definitions, objects });
      return true;
    }
    // The contents tell its kinds only if they are what was applied last; a marker's never are.
    const last = state.stack(stackId).sequence;
    if (last === undefined) return true;
    return isMarker ? last >= sequence : manifests !== undefined && last === sequence;
  }

  return async (assignment: Assignment, notes: StackNotes, because: PruneReason): Promise<boolean> => {
    const startedMs = effects.clock.monotonicMs();
    const { stack_id: stackId } = assignment;
    notes.healthWait = undefined;
    notes.verified = undefined;
    const deploymentObjectId = assignment.deployment_object_id ?? inventories.find(stackId)?.deploymentObjectId ?? null;
    if (!(await isKnown(assignment))) {
      later(assignment, notes);
      tell(assignment, INVENTORY_MISSING, startedMs);
      return false;
    }
    // Said before its inventory is gone: one that is missing after that was not lost.
    if (because === 'withdrawn') state.forgetSequence(stackId);
    else applied(assignment);
    await state.settled();
    const { outcome: looked, remaining } = await removeStack(options, { agentId, stackId }, because);
    const outcome = { ...looked, objects: soFar(notes, looked, remaining, because) };
    const accepted = outcome.status === 'SUCCESS';
    const told = { ...assignment, deployment_object_id: deploymentObjectId };
    if (accepted && remaining.size > 0) {
      notes.terminatingSinceMs ??= startedMs;
      const late = startedMs - notes.terminatingSinceMs >= options.healthTimeoutMs;
      // Finalizers may be right to take their time: it goes on, but somebody should know.
      if (late) tell(told, { ...outcome, status: 'FAILURE' }, notes.terminatingSinceMs);
      later(assignment, notes, late ? undefined : TERMINATING_LOOK_MS);
      return !late;
    }
    notes.seen.clear();
    if (!accepted) {
      later(assignment, notes, outcome.held ? HELD_LOOK_MS : undefined);
      tell(told, outcome, startedMs);
      return false;
    }
    const summary = outcome.objects.length > 0 ? countsText(outcome.objects) : outcome.summary;
    tell(told, { ...outcome, summary }, notes.terminatingSinceMs ?? startedMs);
    notes.failed = undefined;
    notes.terminatingSinceMs = undefined;
    notes.removed = undefined;
    return true;
  };
}

/** The outcomes of a look with those of the looks before, and a note of what it did. */
function soFar(notes: StackNotes, { objects }: Outcome, remaining: ReadonlySet<string>, because: PruneReason): ObjectOutcome[] {
  const all = new Map(notes.removed);
  notes.removed ??= new Map();
  for (const object of objects) {
    const key = objectKey(refIn(object));
    all.set(key, object);
    const { health: _health, message: _message, ...outcome } = object;
    if (!remaining.has(key) || object.action === 'deleted') notes.removed.set(key, outcome);
    else if (object.because === 'terminating') notes.removed.set(key, { ...outcome, action: 'deleted', because });
  }
  return [...all.values()];
}
