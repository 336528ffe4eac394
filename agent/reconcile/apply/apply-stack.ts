import type { ObjectOutcome } from '../../../lib/fleet/protocol/agent-protocol.ts';
import type { LiveObject, ObjectRef } from '../../cluster/cluster.ts';
import { MESSAGES } from '../../operator-messages.ts';
import type { Desired } from '../desired/desired.ts';
import { objectKey } from '../desired/object-key.ts';
import { isAdopted } from '../desired/ownership.ts';
import { objectOutcome } from '../effects/outcome.ts';
import { type OwnedRef, union } from '../inventory/inventory.ts';
import { ownDefinitions } from '../inventory/observe-owned.ts';
import type { Plan, Stage } from '../plan/plan.ts';
import type { AttemptPorts } from '../removal/attempt-ports.ts';
import { pruneStages, withPrune } from '../removal/prune.ts';
import { applyStages } from './apply-stages.ts';
import { missingNamespaces, rollBackNamespaces } from './created-namespaces.ts';
import { claimantOf, lookAtOwned, planContents } from './plan-contents.ts';
import { type AttemptResult, failure, type StackAttempt } from './stack-attempt.ts';
import { validate } from './validate-stack.ts';

/**
 * Makes the cluster hold a stack's new contents: everything that can be is validated before anything is changed; the
 * prerequisites of other objects come first, and those are validated against them. The inventory is written before the objects are made.
 * Rejects with a ClusterError if the cluster can't be read or the inventory not be written; an attempt may be repeated at any point.
 */
export async function applyStack(ports: AttemptPorts, attempt: StackAttempt): Promise<AttemptResult> {
  const { effects, inventories } = ports;
  const { owner, desired, inventory } = attempt;
  const late = desired.filter(({ needsDefinitions }) => needsDefinitions);
  // All of them only look: at the objects' owners, at what the cluster would take, and at what it lacks.
  const [owned, early, newNamespaces] = await Promise.all([
    lookAtOwned(ports, attempt),
    validate(effects, without(desired, late), desired),
    missingNamespaces(effects, desired),
  ]);
  const planned = await planContents(ports, attempt, owned, { early, late, newNamespaces });
  if (planned.refused.length > 0) {
    const objects = planned.refused.map(({ ref, because }) =>
      objectOutcome(ref, { action: 'failed', because: 'foreign', message: because }),
    );
    return failure(MESSAGES.mayNotTakeOver(), objects);
  }
  if (early.refused.length > 0) return failure(MESSAGES.refused(), early.refused);

  const unfinished = inventory && !inventory.isApplied ? inventory.createdNamespaces : [];
  const begun = {
    stackId: owner.stackId,
    deployment: attempt.deployment,
    isApplied: false,
    definitions: { ...inventory?.definitions, ...ownDefinitions(desired.map(({ manifest }) => manifest)) },
    createdNamespaces: [...new Set([...unfinished, ...newNamespaces])],
    adopted: [...new Set([...(inventory?.adopted ?? []), ...adoptedIn(planned)])],
  };
  const applied: Desired[] = [];
  const outcomes: ObjectOutcome[] = [];
  const live = new Map<string, LiveObject>();
  const fail = async (summary: string, refused: readonly ObjectOutcome[] = []): Promise<AttemptResult> => {
    const note = await rollBackNamespaces(ports, owner);
    return failure([summary, ...note].join('; '), [...refused, ...outcomes]);
  };

  let open = [...late, ...early.waiting];
  let next = open.length === 0 ? desired : [...definitionsOf(desired), ...early.needed];
  for (;;) {
    await inventories.put({ ...begun, objects: union(inventory?.objects ?? [], [...applied, ...next].map(refOf)) });
    const result = await applyStages(effects, claimantOf(ports, attempt), stagesWith(planned, next));
    applied.push(...next);
    outcomes.push(...result.outcomes);
    for (const [key, object] of result.live) live.set(key, object);
    const rest = without(desired, applied);
    if (result.failed) return fail(rest.length > 0 ? MESSAGES.prerequisitesFailed() : MESSAGES.notAllApplied());
    if (rest.length === 0) break;
    const { refused, waiting, needed } = await validate(effects, open, rest);
    if (refused.length > 0) return fail(MESSAGES.refusedAfterPrerequisites(kindsText(applied)), refused);
    open = waiting;
    next = open.length === 0 ? rest : needed;
  }

  const pruned = await pruneStages(ports, owner, planned);
  await inventories.put({
    ...begun,
    isApplied: true,
    createdNamespaces: [],
    ownedBefore: pruned.ownedBefore,
    // An object that was to be adopted may have gone before, and a new one may have come.
    adopted: [
      ...[...live].filter(([, object]) => isAdopted(object)).map(([key]) => key),
      ...pruned.survivors.map(objectKey).filter((key) => begun.adopted.includes(key)),
    ],
    objects: union<OwnedRef>(
      pruned.survivors,
      desired.map(({ key, ref }) => withUid(ref, live.get(key))),
    ),
  });
  return { outcome: withPrune(pruned, [...outcomes, ...pruned.outcomes]), live };
}

const adoptedIn = ({ stages }: Plan): string[] =>
  stages.flatMap(({ actions }) => actions.flatMap((action) => (action.do === 'apply' && action.adopted ? [action.object.key] : [])));

const withUid = (ref: ObjectRef, live: LiveObject | undefined): OwnedRef => (live ? { ...ref, uid: live.metadata.uid } : ref);

const refOf = ({ ref }: Desired) => ref;
const definitionsOf = (desired: readonly Desired[]) => desired.filter(({ stage }) => stage === 'definitions');

function without(objects: readonly Desired[], others: readonly Desired[]): readonly Desired[] {
  const keys = new Set(others.map(({ key }) => key));
  return keys.size === 0 ? objects : objects.filter(({ key }) => !keys.has(key));
}

/** The part of a plan that applies these objects. */
function stagesWith({ stages }: Plan, objects: readonly Desired[]): Stage[] {
  const keys = new Set(objects.map(({ key }) => key));
  return stages
    .map(({ name, actions }) => ({ name, actions: actions.filter((action) => action.do === 'apply' && keys.has(action.object.key)) }))
    .filter(({ actions }) => actions.length > 0);
}

/** `1 Namespace, 2 Role` */
function kindsText(objects: readonly Desired[]): string {
  const counts = new Map<string, number>();
  for (const { ref } of objects) counts.set(ref.kind, (counts.get(ref.kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ');
}
