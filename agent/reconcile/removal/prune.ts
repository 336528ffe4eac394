import type { ObjectOutcome } from '../../../lib/fleet/protocol/agent-protocol.ts';
import type { ObjectRef } from '../../cluster/cluster.ts';
import { withoutValuesOf } from '../../cluster/object-values.ts';
import { MESSAGES } from '../../operator-messages.ts';
import { objectText } from '../desired/object-key.ts';
import type { Owner } from '../desired/ownership.ts';
import { type ClusterEffects, disownAll } from '../effects/cluster-effects.ts';
import { countsText, type Outcome, objectOutcome } from '../effects/outcome.ts';
import type { Plan, Stage } from '../plan/plan.ts';
import type { AttemptPorts } from './attempt-ports.ts';
import { deleteStages, type Prune } from './delete-stages.ts';
import { othersInside } from './others-inside.ts';
import { block, fail, keep, newPrune, type PruneProgress } from './prune-progress.ts';
import { stillOurs } from './still-ours.ts';
import { terminatingText } from './terminating-text.ts';

export interface PruneResult {
  outcomes: ObjectOutcome[];
  /** The objects that are not gone yet: they stay in the inventory. */
  survivors: ObjectRef[];
  /** How many objects there were before all this, as long as there are survivors. */
  ownedBefore?: number | undefined;
  /** Why the prune is not done, for the event's message. */
  problem?: string;
  /** The problem is that it waits to be confirmed. */
  held?: boolean;
}

/** The outcome of an attempt that went well apart from its prune. */
export const withPrune = ({ problem, held, survivors }: PruneResult, objects: ObjectOutcome[], summary = countsText(objects)): Outcome => ({
  status: problem === undefined ? 'SUCCESS' : 'FAILURE',
  summary: problem ?? summary,
  objects,
  ...(held && { held }),
  ...(survivors.length > 0 && { unfinished: true }),
});

/**
 * Carries out the deletions of a plan in their order, if the guard lets them pass: a stage begins only when all of the one before is
 * gone, so it may take several looks. A container of other stacks' objects stays. Deletes by uid, never twice the same name.
 */
export async function pruneStages(ports: AttemptPorts, owner: Owner, { stages, left, released }: Plan): Promise<PruneResult> {
  const prune = newPrune();
  await releaseAdopted(ports.effects, prune, await stillOurs(ports, owner, prune, released));
  noteLeft(prune, left);
  const wanted = await withoutTaken(ports, owner, prune, stages);
  const due = wanted.map(({ actions }) => withoutContainersInUse(ports, owner, prune, actions));
  const total = due.flat().length;
  const verdict = total > 0 ? await ports.guard.ask(owner.stackId, total) : ({ held: false } as const);
  if (verdict.held) {
    for (const { ref } of due.flat()) keep(prune, ref, 'held');
    prune.problems.push(verdict.message);
    prune.held = true;
  } else await deleteStages(ports, owner, prune, due);
  return resultOf(ports, owner, prune);
}

function resultOf({ inventories }: AttemptPorts, owner: Owner, { outcomes, survivors, problems, inUse, held }: PruneProgress): PruneResult {
  // Containers in use are told when nothing else is to be waited for.
  const all =
    inUse.length > 0 && (problems.length > 0 || inUse.length === survivors.length)
      ? [...problems, MESSAGES.inUse(inUse.join(', '))]
      : problems;
  return {
    outcomes,
    survivors,
    ownedBefore: survivors.length > 0 ? inventories.find(owner.stackId)?.ownedBefore : undefined,
    ...(all.length > 0 && { problem: all.join('; ') }),
    ...(held && { held }),
  };
}

async function releaseAdopted(effects: ClusterEffects, prune: PruneProgress, released: Plan['released']): Promise<void> {
  let failures = 0;
  for (const { item, ...answer } of await disownAll(effects, released)) {
    const { ref, because, live } = item;
    if ('error' in answer) {
      failures += 1;
      fail(prune, ref, because, withoutValuesOf(answer.error.message, live));
    } else prune.outcomes.push(objectOutcome(ref, { action: 'released', because }));
  }
  if (failures > 0) prune.problems.push(MESSAGES.notReleased(failures));
}

function noteLeft(prune: PruneProgress, left: Plan['left']): void {
  let unknown = 0;
  for (const { ref, because, error, live } of left) {
    if (because === 'unchanged' || because === 'gone') continue;
    if (because === 'not served') {
      unknown += 1;
      fail(prune, ref, because, error?.message ?? because);
      block(prune, ref);
    } else if (because === 'terminating') {
      keep(prune, ref, because, { health: 'progressing', message: live ? terminatingText(live) : MESSAGES.waitsForFinalizers() });
      block(prune, ref);
    } else prune.outcomes.push(objectOutcome(ref, { action: 'skipped', because }));
  }
  if (unknown > 0) prune.problems.push(MESSAGES.notKnownGone(unknown));
}

/** Nothing is deleted that another stack is about to take over. */
async function withoutTaken(
  ports: AttemptPorts,
  { stackId }: Owner,
  prune: PruneProgress,
  stages: readonly Stage[],
): Promise<readonly Stage[]> {
  const prunes = stages.flatMap(({ actions }) => actions).filter((action) => action.do === 'prune');
  const takers = prunes.length > 0 ? await ports.takersOf(stackId) : [];
  if (takers.length === 0) return stages;
  for (const { ref } of prunes) keep(prune, ref, 'waits', { health: 'progressing', message: MESSAGES.waitsForTaker(takers) });
  return [];
}

function withoutContainersInUse(ports: AttemptPorts, owner: Owner, prune: PruneProgress, actions: Stage['actions']): Prune[] {
  return actions.filter((action): action is Prune => {
    if (action.do !== 'prune') return false;
    const { staying } = othersInside(ports, owner.stackId, action);
    if (staying.length === 0) return true;
    keep(prune, action.ref, 'in use');
    prune.inUse.push(`${objectText(action.ref)} (stack ${staying.join(', ')})`);
    return false;
  });
}
