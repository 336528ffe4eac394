import type { ObjectOutcome } from '../../../lib/fleet/protocol/agent-protocol.ts';
import { ControlPlaneError } from '../../control-plane/control-plane.ts';
import { isAssigned, type StackAssignment } from '../../control-plane/stack-assignment.ts';
import { MESSAGES } from '../../operator-messages.ts';
import { objectKey } from '../desired/object-key.ts';
import { countsText, type Outcome, refIn } from '../effects/outcome.ts';
import { labelledObjects } from '../inventory/lost-inventory.ts';
import { ownDefinitions } from '../inventory/observe-owned.ts';
import type { PruneReason } from '../plan/plan.ts';
import { removeStackObjects } from '../removal/remove-stack-objects.ts';
import { HELD_LOOK_MS, type StackProgress } from './stack-progress.ts';
import type { StepPorts } from './step-ports.ts';
import type { StepResult } from './step-result.ts';

const TERMINATING_LOOK_MS = 2_000;

const INVENTORY_MISSING: Outcome = {
  status: 'FAILURE',
  summary: MESSAGES.inventoryMissing(),
  objects: [],
};

/** Deletes what a leaving stack owns. The outcome comes when all of it is gone, or is late. */
export async function removeStep(
  ports: StepPorts,
  assignment: StackAssignment,
  { inProcess }: StackProgress,
  because: PruneReason,
): Promise<StepResult> {
  const { agentId, effects, state } = ports;
  const { stackId, deployment } = assignment;
  const startedMs = effects.clock.monotonicMs();
  const { removal } = inProcess;
  if (!(await isKnown(ports, assignment))) return { outcome: INVENTORY_MISSING, removal };
  // Save this first: later a missing inventory means "removed", not "lost".
  if (because === 'withdrawn') state.forgetSequence(stackId);
  else if (deployment) state.noteApplied(stackId, deployment.sequence);
  await state.settled();

  const { outcome: looked, remaining } = await removeStackObjects(ports, { agentId, stackId }, because);
  const { objects, done } = soFar(removal?.done ?? new Map(), looked, remaining, because);
  const outcome = { ...looked, objects };
  if (outcome.status === 'FAILURE') return { outcome, removal: { ...removal, done }, ...(outcome.held && { retryAfterMs: HELD_LOOK_MS }) };
  const terminatingSinceMs = removal?.terminatingSinceMs ?? startedMs;
  if (remaining.size > 0) {
    const isLate = startedMs - terminatingSinceMs >= ports.healthTimeoutMs;
    const next = { removal: { terminatingSinceMs, done } };
    // Finalizers may be right to take their time: it goes on, but somebody should know.
    return isLate
      ? { ...next, outcome: { ...outcome, status: 'FAILURE' }, startedMs: terminatingSinceMs }
      : { ...next, retryAfterMs: TERMINATING_LOOK_MS };
  }
  return { outcome: { ...outcome, summary: objects.length > 0 ? countsText(objects) : outcome.summary }, startedMs: terminatingSinceMs };
}

/** Whether it is certain what the stack owns. If there is no inventory, what its labels find becomes one. */
async function isKnown({ agentId, contents, effects, inventories, state }: StepPorts, assignment: StackAssignment): Promise<boolean> {
  const { stackId, isDeletionMarker } = assignment;
  if (inventories.find(stackId) || !isAssigned(assignment)) return true;
  const { deployment } = assignment;
  const manifests = await contents.take(assignment).catch((error: unknown) => {
    if (error instanceof ControlPlaneError && error.fault === 'unreachable') throw error;
    return undefined;
  });
  const objects = manifests ? await labelledObjects(effects.cluster, { agentId, stackId }, manifests, effects.stop) : [];
  if (objects.length > 0) {
    const definitions = ownDefinitions(manifests ?? []);
    await inventories.put({ stackId, deployment, isApplied: false, definitions, objects });
    return true;
  }
  // The contents tell its kinds only if they are what was applied last; a marker's never are.
  const last = state.stack(stackId).sequence;
  if (last === undefined) return true;
  return isDeletionMarker ? last >= deployment.sequence : manifests !== undefined && last === deployment.sequence;
}

/** The outcomes of a look with those of the looks before, and those of them that are final. */
function soFar(before: ReadonlyMap<string, ObjectOutcome>, { objects }: Outcome, remaining: ReadonlySet<string>, because: PruneReason) {
  const all = new Map(before);
  const done = new Map(before);
  for (const object of objects) {
    const key = objectKey(refIn(object));
    all.set(key, object);
    const { health: _health, message: _message, ...outcome } = object;
    if (!remaining.has(key) || object.action === 'deleted') done.set(key, outcome);
    else if (object.because === 'terminating') done.set(key, { ...outcome, action: 'deleted', because });
  }
  return { objects: [...all.values()], done };
}
