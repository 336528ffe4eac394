import type { ObjectOutcome } from '../../../lib/fleet/protocol/agent-protocol.ts';
import type { LiveObject, ObjectRef } from '../../cluster/cluster.ts';
import { MESSAGES } from '../../operator-messages.ts';
import type { Desired } from '../desired/desired.ts';
import { objectKey } from '../desired/object-key.ts';
import { isAdopted } from '../desired/ownership.ts';
import { objectOutcome } from '../effects/outcome.ts';
import { mayPass, type Refusal } from '../effects/refusals.ts';
import { type Inventory, type OwnedRef, union } from '../inventory/inventory.ts';
import { ownDefinitions } from '../inventory/observe-owned.ts';
import type { Plan, Stage } from '../plan/plan.ts';
import type { AttemptPorts } from '../removal/attempt-ports.ts';
import { pruneStages, withPrune } from '../removal/prune.ts';
import { applyStages, failureOutcome } from './apply-stages.ts';
import { claimantOf, lookAtOwned, missingNamespaces, planContents } from './plan-contents.ts';
import { refusalOutcomes, unservedOutcome } from './refused-objects.ts';
import { type AttemptResult, failure, type StackAttempt } from './stack-attempt.ts';
import { validate, validateAgain } from './validate-stack.ts';

/**
 * Makes the cluster hold a stack's new contents. What is wrong in itself refuses the stack before anything is changed. What the cluster refuses
 * because of other objects of the stack is judged again after these were applied, and nothing else before. Objects of kinds that are not served
 * yet hold up nobody: the rest is applied, and the attempt is repeated. The inventory is written before the objects are made.
 * Rejects with a ClusterError if the cluster can't be read or the inventory not be written; an attempt may be repeated at any point.
 */
export async function applyStack(ports: AttemptPorts, attempt: StackAttempt): Promise<AttemptResult> {
  const { effects } = ports;
  const { desired } = attempt;
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
  if (early.refused.length > 0) return failure(MESSAGES.refused(), refusalOutcomes(early.refused), mayPass(early.refused));
  const applied = await applyInRounds(ports, attempt, planned, [...late, ...early.waiting], early.needed);
  return 'outcome' in applied ? applied : finish(ports, attempt, planned, applied);
}

interface Applied {
  outcomes: ObjectOutcome[];
  live: Map<string, LiveObject>;
  begun: Omit<Inventory, 'objects'>;
}

/** Applies the definitions and what is `needed` to judge the `open` objects, as often as that brings more to light, and then all the rest. */
async function applyInRounds(
  ports: AttemptPorts,
  attempt: StackAttempt,
  planned: Plan,
  open: readonly Desired[],
  needed: readonly Desired[],
): Promise<Applied | AttemptResult> {
  const { effects, inventories } = ports;
  const { desired, inventory } = attempt;
  const begun = begunInventory(attempt, planned);
  const outcomes: ObjectOutcome[] = [];
  const live = new Map<string, LiveObject>();
  const done: Desired[] = [];
  const failed = (summary: string, refusals: readonly Refusal[], told: readonly ObjectOutcome[]) =>
    failure(summary, [...told, ...outcomes], mayPass(refusals));

  let next = open.length === 0 ? desired : [...new Set([...definitionsOf(desired), ...needed])];
  let last: readonly Desired[] = [];
  for (;;) {
    await inventories.put({ ...begun, objects: union(inventory?.objects ?? [], [...done, ...next].map(refOf)) });
    const stages = [...stagesWith(planned, without(next, last)), ...stagesWith(planned, last)];
    const { failures, ...result } = await applyStages(effects, claimantOf(ports, attempt), stages);
    done.push(...next);
    outcomes.push(...result.outcomes);
    for (const [key, object] of result.live) live.set(key, object);
    const rest = without(desired, done);
    if (failures.length > 0)
      return failed(rest.length > 0 ? MESSAGES.prerequisitesFailed() : MESSAGES.notAllApplied(), failures, failures.map(failureOutcome));
    if (rest.length === 0) return { outcomes, live, begun };
    const verdict = await validateAgain(effects, open, rest);
    const { refused } = verdict;
    if (refused.length > 0) return failed(MESSAGES.refusedAfterPrerequisites(kindsText(done)), refused, refusalOutcomes(refused));
    open = verdict.waiting;
    next = verdict.needed.length > 0 ? verdict.needed : rest;
    // What only a webhook still stands against comes after the webhooks.
    last = verdict.needed.length > 0 ? [] : open;
  }
}

/** The inventory of an attempt that has begun. */
function begunInventory({ owner, deployment, desired, inventory }: StackAttempt, planned: Plan): Omit<Inventory, 'objects'> {
  return {
    stackId: owner.stackId,
    deployment,
    isApplied: false,
    definitions: { ...inventory?.definitions, ...ownDefinitions(desired.map(({ manifest }) => manifest)) },
    adopted: [...new Set([...(inventory?.adopted ?? []), ...adoptedIn(planned)])],
  };
}

/** Prunes, and writes down what the stack owns now. While objects wait for their kinds nothing is pruned: they may replace what would go. */
async function finish(
  ports: AttemptPorts,
  { owner, desired, unserved }: StackAttempt,
  planned: Plan,
  { outcomes, live, begun }: Applied,
): Promise<AttemptResult> {
  if (unserved.length > 0) return { ...failure(MESSAGES.kindsMissing(), [...unserved.map(unservedOutcome), ...outcomes], true), live };
  const pruned = await pruneStages(ports, owner, planned);
  await ports.inventories.put({
    ...begun,
    isApplied: true,
    ownedBefore: pruned.ownedBefore,
    // An object that was to be adopted may have gone before, and a new one may have come.
    adopted: [
      ...[...live].filter(([, object]) => isAdopted(object)).map(([key]) => key),
      ...pruned.survivors.map(objectKey).filter((key) => begun.adopted?.includes(key)),
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
