import { withoutValuesOf } from '../../cluster/object-values.ts';
import { MESSAGES } from '../../operator-messages.ts';
import { removalRankOf } from '../desired/kind-order.ts';
import { objectText } from '../desired/object-key.ts';
import type { Owner } from '../desired/ownership.ts';
import { deleteAll } from '../effects/cluster-effects.ts';
import { objectOutcome } from '../effects/outcome.ts';
import type { Action } from '../plan/plan.ts';
import type { AttemptPorts } from './attempt-ports.ts';
import { othersInside } from './others-inside.ts';
import { block, fail, keep, type PruneProgress, WAITS_FOR_FINALIZERS } from './prune-progress.ts';
import { stillOurs } from './still-ours.ts';
import { strangersInside } from './strangers-inside.ts';

export type Prune = Extract<Action, { do: 'prune' }>;

/** Deletes stage after stage, as far as the stages before are gone. */
export async function deleteStages(ports: AttemptPorts, owner: Owner, prune: PruneProgress, stages: readonly Prune[][]): Promise<void> {
  const total = stages.flat().length;
  let failures = 0;
  let waiting = 0;
  for (const stage of stages) {
    const actions = await stillOurs(ports, owner, prune, stage);
    const now = actions.filter((action) => isDue(ports, owner, prune, action));
    const allowed = await confirmed(ports, owner, prune, now);
    waiting += actions.length - allowed.length;
    for (const { item, ...answer } of await deleteAll(ports.effects, allowed)) {
      const { ref, because, live } = item;
      if ('error' in answer) {
        failures += 1;
        fail(prune, ref, because, withoutValuesOf(answer.error.message, live));
        block(prune, ref);
        continue;
      }
      const isGone = answer.value !== 'deleting';
      prune.outcomes.push(objectOutcome(ref, { action: 'deleted', because, ...(!isGone && WAITS_FOR_FINALIZERS) }));
      if (isGone) continue;
      prune.survivors.push(ref);
      block(prune, ref);
    }
  }
  if (failures > 0) prune.problems.push(MESSAGES.notDeleted(failures, total));
  else if (waiting === 0) ports.guard.done(owner.stackId);
}

function isDue(ports: AttemptPorts, owner: Owner, prune: PruneProgress, action: Prune): boolean {
  const { leaving } = othersInside(ports, owner.stackId, action);
  if (removalRankOf(action.ref) < prune.blockingRank) keep(prune, action.ref, 'waits for what goes first');
  else if (leaving.length > 0) keep(prune, action.ref, 'in use', { health: 'progressing', message: MESSAGES.waitsForStacks(leaving) });
  else return true;
  return false;
}

/** Without the containers that strangers' objects are in, unless somebody confirmed it. Looked at last of all, just before they go. */
async function confirmed(
  { effects, guard }: AttemptPorts,
  { agentId, stackId }: Owner,
  prune: PruneProgress,
  actions: readonly Prune[],
): Promise<Prune[]> {
  const allowed: Prune[] = [];
  for (const action of actions) {
    const { ref, uid } = action;
    const strangers = await strangersInside(effects, agentId, action);
    const container = { name: objectText(ref), uid };
    const verdict = strangers.length > 0 ? await guard.askForContents(stackId, container, strangers) : undefined;
    if (!verdict?.held) {
      allowed.push(action);
      continue;
    }
    prune.held = true;
    prune.problems.push(verdict.message);
    keep(prune, ref, 'held');
    block(prune, ref);
  }
  return allowed;
}
