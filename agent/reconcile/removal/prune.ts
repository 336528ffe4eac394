import type { ObjectOutcome } from '../../../lib/fleet/protocol/agent-protocol.ts';
import type { ObjectRef } from '../../cluster/cluster.ts';
import { withoutValuesOf } from '../../cluster/object-values.ts';
import { rankOf } from '../desired/kind-order.ts';
import { objectText } from '../desired/object-key.ts';
import type { Owner } from '../desired/ownership.ts';
import { deleteAll } from '../effects/cluster-effects.ts';
import { countsText, type Outcome, objectOutcome } from '../effects/outcome.ts';
import type { Action, Plan } from '../plan/plan.ts';
import type { AttemptPorts } from '../stack-attempt.ts';
import { othersInside } from './others-inside.ts';

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

const unknownText = (count: number): string =>
  `it is not known whether ${count} object${count === 1 ? ' is' : 's are'} gone, so nothing is forgotten: serve the kind again, in any version`;

const FINALIZERS = { health: 'progressing', message: 'waits for its finalizers' } as const;

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
export async function pruneStages(ports: AttemptPorts, owner: Owner, { stages, left }: Plan): Promise<PruneResult> {
  const { effects, inventories, guard } = ports;
  const result: PruneResult = { outcomes: [], survivors: [] };
  const stays = (ref: ObjectRef, because: string, more: Pick<Partial<ObjectOutcome>, 'health' | 'message'> = {}) => {
    result.survivors.push(ref);
    result.outcomes.push(objectOutcome(ref, { action: 'skipped', because, ...more }));
  };
  /** Nothing of a lower rank goes before what is in the way. */
  let inTheWay = -1;
  let unknown = 0;
  for (const { ref, because, error } of left) {
    if (because === 'unchanged' || because === 'gone') continue;
    if (because === 'not served') {
      unknown += 1;
      result.survivors.push(ref);
      result.outcomes.push(objectOutcome(ref, { action: 'failed', because, message: error?.message ?? because }));
      inTheWay = Math.max(inTheWay, rankOf(ref));
      continue;
    }
    if (because !== 'terminating') {
      result.outcomes.push(objectOutcome(ref, { action: 'skipped', because }));
      continue;
    }
    stays(ref, because, FINALIZERS);
    inTheWay = Math.max(inTheWay, rankOf(ref));
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
  const problems: string[] = unknown > 0 ? [unknownText(unknown)] : [];
  const end = (more?: Pick<PruneResult, 'held'>): PruneResult => {
    // What else is going is waited for first.
    if (inUse.length > 0 && (problems.length > 0 || inUse.length === result.survivors.length))
      problems.push(`not deleted, since objects of other stacks would go with it: ${inUse.join('; ')}`);
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
  for (const actions of due) {
    const now = actions.filter((action) => {
      const { leaving } = othersInside(ports, owner.stackId, action);
      const turn = rankOf(action.ref) >= inTheWay;
      if (turn && leaving.length === 0) return true;
      waiting += 1;
      if (!turn) stays(action.ref, 'waits for what goes first');
      else stays(action.ref, 'in use', { health: 'progressing', message: `waits for stack ${leaving.join(', ')} to go` });
      return false;
    });
    for (const item of await deleteAll(effects, now)) {
      const { ref, because } = item.target;
      const gone = 'answer' in item && item.answer !== 'deleting';
      if (!gone) {
        result.survivors.push(ref);
        inTheWay = Math.max(inTheWay, rankOf(ref));
      }
      if ('error' in item) {
        failures += 1;
        result.outcomes.push(
          objectOutcome(ref, { action: 'failed', because, message: withoutValuesOf(item.error.message, item.target.live) }),
        );
      } else result.outcomes.push(objectOutcome(ref, { action: 'deleted', because, ...(!gone && FINALIZERS) }));
    }
  }
  if (failures > 0) problems.push(`${failures} of ${total} objects could not be deleted`);
  else if (waiting === 0) guard.done(owner.stackId);
  return end();
}
