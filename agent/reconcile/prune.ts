import type { ObjectOutcome } from '../../lib/fleet/protocol/agent-protocol.ts';
import type { ObjectRef } from '../cluster/cluster.ts';
import { deleteAll } from './cluster-effects.ts';
import { countsText, type Outcome, objectOutcome } from './outcome.ts';
import type { Owner } from './ownership.ts';
import type { Plan } from './plan.ts';
import type { AttemptPorts } from './stack-attempt.ts';

export interface PruneResult {
  outcomes: ObjectOutcome[];
  /** What is still to be deleted, or still being so: stays in the inventory. */
  survivors: ObjectRef[];
  /** Of the survivors, how many were accepted and wait for their finalizers. */
  deleting: number;
  /** Why the prune is not done, for the event's message. */
  problem?: string;
  /** The problem is that it waits to be confirmed. */
  held?: boolean;
}

const WAITING = { health: 'progressing', message: 'waits for its finalizers' } as const;

/** Of an attempt that went well but for its prune. */
export const withPrune = ({ problem, held }: PruneResult, objects: ObjectOutcome[], summary = countsText(objects)): Outcome => ({
  status: problem === undefined ? 'SUCCESS' : 'FAILURE',
  summary: problem ?? summary,
  objects,
  ...(held && { held }),
});

/** Carries out the deletions of a plan in their order, if the guard lets them pass. Deletes by uid, never twice the same name. */
export async function pruneStages({ effects, guard }: AttemptPorts, owner: Owner, { stages, left }: Plan): Promise<PruneResult> {
  const prunes = stages.flatMap(({ actions }) => actions.filter((action) => action.do === 'prune'));
  const result: PruneResult = { outcomes: [], survivors: [], deleting: 0 };
  for (const { ref, because } of left) {
    if (because === 'unchanged' || because === 'gone') continue;
    const terminating = because === 'terminating';
    result.outcomes.push(objectOutcome(ref, { action: 'skipped', because, ...(terminating && WAITING) }));
    if (!terminating) continue;
    result.deleting += 1;
    result.survivors.push(ref);
  }
  if (prunes.length === 0) {
    guard.done(owner.stackId);
    return result;
  }
  const verdict = await guard.ask(owner.stackId, prunes.length);
  if (verdict.held) {
    return {
      ...result,
      survivors: [...result.survivors, ...prunes.map(({ ref }) => ref)],
      outcomes: [...result.outcomes, ...prunes.map(({ ref }) => objectOutcome(ref, { action: 'skipped', because: 'held' }))],
      problem: verdict.message,
      held: true,
    };
  }
  let failures = 0;
  for (const { actions } of stages) {
    const deleted = await deleteAll(
      effects,
      actions.filter((action) => action.do === 'prune'),
    );
    for (const item of deleted) {
      const { ref, because } = item.target;
      if ('error' in item) {
        failures += 1;
        result.survivors.push(ref);
        result.outcomes.push(objectOutcome(ref, { action: 'failed', because, message: item.error.message }));
        continue;
      }
      if (item.answer === 'deleting') {
        result.deleting += 1;
        result.survivors.push(ref);
      }
      result.outcomes.push(objectOutcome(ref, { action: 'deleted', because, ...(item.answer === 'deleting' && WAITING) }));
    }
  }
  if (failures > 0) return { ...result, problem: `${failures} of ${prunes.length} objects could not be deleted` };
  guard.done(owner.stackId);
  return result;
}
