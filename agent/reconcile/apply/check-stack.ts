import type { ObjectOutcome } from '../../../lib/fleet/protocol/agent-protocol.ts';
import { groupOf, type LiveObject, type ObjectRef } from '../../cluster/cluster.ts';
import { MESSAGES } from '../../operator-messages.ts';
import type { Desired } from '../desired/desired.ts';
import { objectKey } from '../desired/object-key.ts';
import {
  type DriftMode,
  isAdopted,
  markAdopted,
  type Owner,
  otherOwner,
  ownedBy,
  ownedBySomeone,
  parseDriftMode,
  USER_ANNOTATION,
} from '../desired/ownership.ts';
import { type ClusterEffects, dryRunAll } from '../effects/cluster-effects.ts';
import { correctionText, driftText, isCorrection, objectOutcome } from '../effects/outcome.ts';
import { mayPass, type Refusal } from '../effects/refusals.ts';
import { isDone } from '../health/finished-jobs.ts';
import { keysOf, type OwnedRef, union } from '../inventory/inventory.ts';
import { observeOwned } from '../inventory/observe-owned.ts';
import type { Claimant } from '../plan/claim.ts';
import { observe, requireKnown } from '../plan/observe.ts';
import { plan, type Stage } from '../plan/plan.ts';
import type { AttemptPorts } from '../removal/attempt-ports.ts';
import { pruneStages, withPrune } from '../removal/prune.ts';
import { applyStages, failureOutcome, type StagesResult } from './apply-stages.ts';
import { difference } from './object-difference.ts';
import { claimantOf } from './plan-contents.ts';
import { refusalOutcomes, unservedOutcome } from './refused-objects.ts';
import type { AttemptResult, StackAttempt } from './stack-attempt.ts';

/** `drift` says in words what has drifted and is only reported; empty if nothing has. */
export type CheckResult = AttemptResult & { corrected: number; drift: string };

/**
 * Holds a stack whose contents were applied against the cluster: what is gone comes back, what others changed is put right, what was
 * left over from a prune goes. An object at the resourceVersion seen last is not looked at again. What can't be held holds up nothing
 * else, and is not in `live`.
 */
export async function checkStack(ports: AttemptPorts, attempt: StackAttempt, seen: ReadonlyMap<string, string>): Promise<CheckResult> {
  const { effects, inventories } = ports;
  const { owner, desired, unserved, inventory, policy } = attempt;
  if (!inventory) throw new Error('a stack without an inventory was not applied');
  const wanted = new Set(desired.map(({ key }) => key));
  // Of a kind that is not served it is not known which object an unserved one names: none of them is taken for left over.
  const unknownKinds = new Set(unserved.map(kindKey));
  const leftovers = inventory.objects.filter((ref) => !wanted.has(objectKey(ref)) && !unknownKinds.has(kindKey(ref)));
  const watched = policy.drift === 'ignore' ? desired.filter((object) => driftModeOf(object, undefined, 'ignore') !== 'ignore') : desired;

  const looked = await observe(
    effects,
    watched.map(({ ref }) => ref),
    ownedBy(owner),
  );
  requireKnown(looked, wanted);
  const { live } = looked;
  const done = watched.filter((object) => !live.has(object.key) && isDone(object, attempt));
  const held = watched.filter((object) => !done.includes(object));
  const missing = held.filter(({ key }) => !live.has(key)).map(({ ref }) => ref);
  // An object that seems to be gone may have been taken over by someone else.
  const others = await observe(effects, missing, ownedBySomeone);
  requireKnown(others, wanted);
  const left = await observeOwned(effects, inventory, leftovers);
  for (const [key, object] of [...others.live, ...left.live]) live.set(key, object);

  const free = held.filter(({ key }) => !isForeign(live.get(key), owner));
  const modeOf = (object: Desired) => driftModeOf(object, live.get(object.key), policy.drift);
  const suspects = free.filter((object) => isSuspect(object, live.get(object.key), seen) && modeOf(object) !== 'ignore');
  const adopted = new Set(inventory.adopted);
  const { drifted, unknown } = await driftOf(ports, suspects.map(asApplied(adopted)), live);

  const onlyReported = held.filter((object) => modeOf(object) === 'report' && (drifted.has(object.key) || !live.has(object.key)));
  const toCorrect = held.filter((object) => !onlyReported.includes(object));
  const claimant = { ...claimantOf(ports, attempt), owns: () => true };
  const planned = plan({
    ...claimant,
    desired: toCorrect,
    inventory: [...toCorrect.map(({ ref }) => ref), ...leftovers],
    live,
    unknown: left.unknown,
    apply: { drifted: new Set(drifted.keys()) },
    pruneReason: 'left the stack',
  });
  const applied = await correct(effects, claimant, planned.stages);
  const pruned = await pruneStages(ports, owner, planned);
  const known = new Map(inventory.objects.map((ref) => [objectKey(ref), ref]));
  const objectsNow = union<OwnedRef>(
    pruned.survivors,
    desired.map(({ key, ref }) => known.get(key) ?? ref),
  );
  for (const [key, object] of applied.live) {
    if (isAdopted(object)) adopted.add(key);
    else adopted.delete(key);
  }
  const adoptedNow = [...adopted].filter((key) => keysOf(objectsNow).has(key));
  const isAsItWas = objectsNow.length === keysOf(inventory.objects).size && isEqual(adoptedNow, inventory.adopted ?? []);
  if (!isAsItWas) await inventories.put({ ...inventory, ownedBefore: pruned.ownedBefore, adopted: adoptedNow, objects: objectsNow });

  const refused = planned.refused.map(({ ref, because }) => objectOutcome(ref, { action: 'failed', because: 'foreign', message: because }));
  const corrections = [...applied.outcomes, ...applied.failures.map(failureOutcome)].map((outcome) => withPath(outcome, drifted));
  const unchanged = planned.left
    .filter(({ key, because }) => because === 'unchanged' && !unknown.has(key))
    .map(({ ref }) => objectOutcome(ref, { action: 'unchanged' }));
  const reported = onlyReported.map(({ key, ref }) => {
    const path = drifted.get(key);
    const message = path === undefined ? undefined : MESSAGES.fieldChanged(path);
    return objectOutcome(ref, { action: 'skipped', because: path === undefined ? 'missing' : 'drifted', ...(message && { message }) });
  });
  for (const { ref } of done) unchanged.push(objectOutcome(ref, { action: 'unchanged', because: 'finished' }));
  const objects = [
    ...refused,
    ...unserved.map(unservedOutcome),
    ...refusalOutcomes([...unknown.values()]),
    ...corrections,
    ...reported,
    ...pruned.outcomes,
    ...unchanged,
  ];
  // Objects that are not known to be in order are looked at again next time.
  for (const key of [...planned.refused.map((action) => action.key), ...unknown.keys(), ...drifted.keys()]) live.delete(key);
  for (const [key, object] of applied.live) live.set(key, object);

  const corrected = corrections.filter(isCorrection).length;
  const problems = [
    refused.length > 0 ? MESSAGES.objectsLost() : undefined,
    unknown.size > 0 ? MESSAGES.driftNotLookedFor() : undefined,
    applied.failures.length > 0 ? MESSAGES.driftNotCorrected() : undefined,
    unserved.length > 0 ? MESSAGES.kindsGone() : undefined,
  ].filter((problem) => problem !== undefined);
  const mayPassByItself = refused.length === 0 && !pruned.problem && mayPass([...unknown.values(), ...applied.failures]);
  const outcome = withPrune(pruned, objects);
  const drift = reported.length > 0 ? driftText(reported) : '';
  if (problems.length === 0) return { outcome, live, corrected, drift };
  const told = [...problems, ...(pruned.problem ? [pruned.problem] : []), ...(corrected > 0 ? [correctionText(outcome)] : [])];
  const failed = { ...outcome, status: 'FAILURE' as const, summary: told.join('; '), ...(mayPassByItself && { mayPass: true }) };
  return { outcome: failed, live, corrected, drift };
}

/** If a definition can't come back, the objects that don't need it still can. */
async function correct(effects: ClusterEffects, claimant: Claimant, stages: readonly Stage[]): Promise<StagesResult> {
  const definitions = await applyStages(
    effects,
    claimant,
    stages.filter(({ name }) => name === 'definitions'),
  );
  const rest = await applyStages(
    effects,
    claimant,
    stages.filter(({ name }) => name === 'workloads' || name === 'admission'),
  );
  return {
    outcomes: [...definitions.outcomes, ...rest.outcomes],
    live: new Map([...definitions.live, ...rest.live]),
    failures: [...definitions.failures, ...rest.failures],
  };
}

const kindKey = ({ apiVersion, kind }: ObjectRef): string => `${groupOf(apiVersion)}/${kind}`;

const isEqual = (some: readonly string[], others: readonly string[]): boolean => [...some].sort().join() === [...others].sort().join();

/** Adopted objects are applied with their mark. */
const asApplied =
  (adopted: ReadonlySet<string>) =>
  (object: Desired): Desired =>
    adopted.has(object.key) ? { ...object, manifest: markAdopted(object.manifest) } : object;

const isForeign = (live: LiveObject | undefined, owner: Owner): boolean => live !== undefined && otherOwner(live, owner) !== undefined;

function isSuspect({ key }: Desired, live: LiveObject | undefined, seen: ReadonlyMap<string, string>): boolean {
  return live !== undefined && seen.get(key) !== live.metadata.resourceVersion;
}

/** What the object says in the YAML goes before what it says in the cluster, and both before what its stack says. */
const driftModeOf = ({ manifest }: Desired, live: LiveObject | undefined, ofStack: DriftMode): DriftMode =>
  [manifest, live].map((object) => parseDriftMode(object?.metadata.annotations?.[USER_ANNOTATION.drift])).find((mode) => mode) ?? ofStack;

/** Asks the API server what an apply would make of each suspect: defaults and other managers' fields are then no difference. */
async function driftOf({ effects }: AttemptPorts, suspects: readonly Desired[], live: ReadonlyMap<string, LiveObject>) {
  const drifted = new Map<string, string>();
  const unknown = new Map<string, Refusal>();
  for (const result of await dryRunAll(effects, suspects)) {
    const { key, ref } = result.item;
    if ('error' in result) {
      unknown.set(key, { object: result.item, error: result.error });
      continue;
    }
    const existing = live.get(key);
    const path = existing && difference({ ...existing, apiVersion: ref.apiVersion, kind: ref.kind }, result.value);
    if (path) drifted.set(key, path);
  }
  return { drifted, unknown };
}

function withPath(outcome: ObjectOutcome, drifted: ReadonlyMap<string, string>): ObjectOutcome {
  const { api_version: apiVersion, kind, namespace, name, action } = outcome;
  const path = drifted.get(objectKey({ apiVersion, kind, ...(namespace !== null && { namespace }), name }));
  return path && action === 'corrected' ? { ...outcome, message: MESSAGES.fieldChanged(path) } : outcome;
}
