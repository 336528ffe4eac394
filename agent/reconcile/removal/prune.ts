import type { ObjectOutcome } from '../../../lib/fleet/protocol/agent-protocol.ts';
import type { ObjectRef } from '../../cluster/cluster.ts';
import { withoutValuesOf } from '../../cluster/object-values.ts';
import { MESSAGES } from '../../operator-messages.ts';
import { rankOf } from '../desired/kind-order.ts';
import { objectText } from '../desired/object-key.ts';
import type { Owner } from '../desired/ownership.ts';
import { deleteAll, disownAll } from '../effects/cluster-effects.ts';
import { countsText, type Outcome, objectOutcome } from '../effects/outcome.ts';
import type { Action, Plan } from '../plan/plan.ts';
import type { AttemptPorts } from './attempt-ports.ts';
import { othersInside } from './others-inside.ts';
import { strangersInside } from './strangers-inside.ts';

export interface PruneResult {
  outcomes: ObjectOutcome[];
  /** What is still to be deleted, or still being so: stays in the inventory. */
  survivors: ObjectRef[];
  /** How many objects there were before all this, as long as there are survivors. */
  ownedBefore?: number | undefined;
  /** Why the prune is not done, for the event's message. */
  problem?: string;
  /** The problem is that it waits to be confirmed. */
  held?: boolean;
}

type Prune = Extract<Action, { do: 'prune' }>;

const FINALIZERS = { health: 'progressing', message: MESSAGES.waitsForFinalizers() } as const;

/** Of an attempt that went well but for its prune. */
export const withPrune = ({ problem, held, survivors }: PruneResult, objects: ObjectOutcome[], summary = countsText(objects)): Outcome => ({
  status: problem === undefined ? 'SUCCESS' : 'FAILURE',
  summary: problem ?? summary,
  objects,
  ...(held && { held }),
  ...(survivors.length > 0 && { unfinished: true }),
});

/**
 * Carries out the deletions of a plan in their order, if the guard lets them pass: a stage begins only when all of the one before is
 * gone, so it may take several looks. What other stacks' objects are in stays. Deletes by uid, never twice the same name.
 */
export async function pruneStages(ports: AttemptPorts, owner: Owner, { stages, left, released }: Plan): Promise<PruneResult> {
  const { effects, inventories, guard } = ports;
  const result: PruneResult = { outcomes: [], survivors: [] };
  const stays = (ref: ObjectRef, because: string, more: Pick<Partial<ObjectOutcome>, 'health' | 'message'> = {}) => {
    result.survivors.push(ref);
    result.outcomes.push(objectOutcome(ref, { action: 'skipped', because, ...more }));
  };
  /** Nothing of a lower rank is deleted before what is still there of this one. */
  let blockingRank = -1;
  let unreleased = 0;
  for (const { item, ...answer } of await disownAll(effects, released)) {
    const { ref, because } = item;
    if (!('error' in answer)) {
      result.outcomes.push(objectOutcome(ref, { action: 'released', because }));
      continue;
    }
    unreleased += 1;
    result.survivors.push(ref);
    const message = withoutValuesOf(answer.error.message, item.live);
    result.outcomes.push(objectOutcome(ref, { action: 'failed', because, message }));
  }
  let unknown = 0;
  for (const { ref, because, error } of left) {
    if (because === 'unchanged' || because === 'gone') continue;
    if (because === 'not served') {
      unknown += 1;
      result.survivors.push(ref);
      result.outcomes.push(objectOutcome(ref, { action: 'failed', because, message: error?.message ?? because }));
      blockingRank = Math.max(blockingRank, rankOf(ref));
      continue;
    }
    if (because !== 'terminating') {
      result.outcomes.push(objectOutcome(ref, { action: 'skipped', because }));
      continue;
    }
    stays(ref, because, FINALIZERS);
    blockingRank = Math.max(blockingRank, rankOf(ref));
  }

  const inUse: string[] = [];
  const due = stages.map(({ actions }) =>
    actions.filter((action): action is Prune => {
      if (action.do !== 'prune') return false;
      const { staying } = othersInside(ports, owner.stackId, action);
      if (staying.length === 0) return true;
      stays(action.ref, 'in use');
      inUse.push(`${objectText(action.ref)} (stack ${staying.join(', ')})`);
      return false;
    }),
  );
  const problems: string[] = unknown > 0 ? [MESSAGES.notKnownGone(unknown)] : [];
  if (unreleased > 0) problems.push(MESSAGES.notReleased(unreleased));
  const end = (more?: Pick<PruneResult, 'held'>): PruneResult => {
    // What else is going is waited for first.
    if (inUse.length > 0 && (problems.length > 0 || inUse.length === result.survivors.length))
      problems.push(MESSAGES.inUse(inUse.join(', ')));
    return {
      ...result,
      ownedBefore: result.survivors.length > 0 ? inventories.find(owner.stackId)?.ownedBefore : undefined,
      ...(problems.length > 0 && { problem: problems.join('; ') }),
      ...more,
    };
  };
  const total = due.flat().length;
  if (total > 0) {
    const verdict = await guard.ask(owner.stackId, total);
    if (verdict.held) {
      for (const { ref } of due.flat()) stays(ref, 'held');
      problems.push(verdict.message);
      return end({ held: true });
    }
  }

  let failures = 0;
  let waiting = 0;
  let held = false;
  for (const actions of due) {
    const now = actions.filter((action) => {
      const { leaving } = othersInside(ports, owner.stackId, action);
      const turn = rankOf(action.ref) >= blockingRank;
      if (turn && leaving.length === 0) return true;
      waiting += 1;
      if (!turn) stays(action.ref, 'waits for what goes first');
      else stays(action.ref, 'in use', { health: 'progressing', message: MESSAGES.waitsForStacks(leaving) });
      return false;
    });
    const allowed: Prune[] = [];
    for (const action of now) {
      const strangers = await strangersInside(effects, owner.agentId, action);
      const container = { name: objectText(action.ref), uid: action.uid };
      const verdict = strangers.length === 0 ? { held: false as const } : await guard.askForContents(owner.stackId, container, strangers);
      if (!verdict.held) {
        allowed.push(action);
        continue;
      }
      held = true;
      stays(action.ref, 'held');
      problems.push(verdict.message);
      blockingRank = Math.max(blockingRank, rankOf(action.ref));
    }
    for (const deleted of await deleteAll(effects, allowed)) {
      const { ref, because } = deleted.item;
      const gone = 'value' in deleted && deleted.value !== 'deleting';
      if (!gone) {
        result.survivors.push(ref);
        blockingRank = Math.max(blockingRank, rankOf(ref));
      }
      if ('error' in deleted) {
        failures += 1;
        result.outcomes.push(
          objectOutcome(ref, { action: 'failed', because, message: withoutValuesOf(deleted.error.message, deleted.item.live) }),
        );
      } else result.outcomes.push(objectOutcome(ref, { action: 'deleted', because, ...(!gone && FINALIZERS) }));
    }
  }
  if (failures > 0) problems.push(MESSAGES.notDeleted(failures, total));
  else if (waiting === 0 && !held) guard.done(owner.stackId);
  return end(held ? { held } : {});
}
