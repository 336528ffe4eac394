import { groupOf, type LiveObject, type ObjectRef } from '../../cluster/cluster.ts';
import type { Desired } from '../desired/desired.ts';
import { objectKey } from '../desired/object-key.ts';
import { isAdopted, type Owner, otherOwner, ownedBy, ownedBySomeone } from '../desired/ownership.ts';
import type { ClusterEffects } from '../effects/cluster-effects.ts';
import { isDone } from '../health/finished-jobs.ts';
import { type Inventory, keysOf, type OwnedRef, union } from '../inventory/inventory.ts';
import { observeOwned } from '../inventory/observe-owned.ts';
import type { Claimant } from '../plan/claim.ts';
import { observe, requireKnown } from '../plan/observe.ts';
import { plan, type Stage } from '../plan/plan.ts';
import type { AttemptPorts } from '../removal/attempt-ports.ts';
import { type PruneResult, pruneStages } from '../removal/prune.ts';
import { applyStages, type StagesResult } from './apply-stages.ts';
import { type CheckResult, checkResult, type Judged } from './check-result.ts';
import { driftModeOf, driftOf, isCorrectable, takeAdditions } from './drift.ts';
import { type Fights, isSlowedDown } from './fights.ts';
import { claimantOf } from './plan-contents.ts';
import type { StackAttempt } from './stack-attempt.ts';

/** What an agent remembers of its earlier looks at a stack. */
export interface EarlierLooks {
  /** The resource versions seen last, by key. */
  seen: ReadonlyMap<string, string>;
  fights: Fights;
}

/**
 * Holds a stack whose contents were applied against the cluster: what is gone comes back, what others changed or added by hand is put right, what
 * was left over from a prune goes. An object at the resourceVersion seen last is not looked at again. What can't be held holds up nothing else,
 * and is not in `live`.
 */
export async function checkStack(ports: AttemptPorts, attempt: StackAttempt, earlier: EarlierLooks): Promise<CheckResult> {
  const { effects } = ports;
  const { inventory, owner } = attempt;
  if (!inventory) throw new Error('a stack without an inventory was not applied');
  const looked = await look(ports, attempt, inventory);
  const judged = await judge(effects, attempt, looked, earlier);
  const wrong = judged.toCorrect.flatMap(({ key }) => judged.drifts.get(key) ?? []).filter(isCorrectable);
  const planned = plan({
    ...claimantOf(ports, attempt),
    owns: () => true,
    desired: judged.toCorrect,
    inventory: [...judged.toCorrect.map(({ ref }) => ref), ...looked.leftovers],
    live: looked.live,
    unknown: looked.unknownLeftovers,
    apply: { drifted: new Set(wrong.map(({ object }) => object.key)) },
    pruneReason: 'left the stack',
  });
  const notTaken = await takeAdditions(effects, wrong);
  const applied = await correct(effects, claimantOf(ports, attempt), planned.stages);
  for (const result of notTaken) if ('error' in result) applied.failures.push({ object: result.item.object, error: result.error });
  const pruned = await pruneStages(ports, owner, planned);
  await noteInventory(ports, attempt, inventory, { applied, pruned });
  const { unserved } = attempt;
  return checkResult({ ...looked, unserved, judged, planned, applied, pruned }, earlier.fights, effects.clock.monotonicMs());
}

interface Looked {
  /** The objects that are held against the cluster: all whose drift matters, without Jobs that have finished and are gone. */
  held: readonly Desired[];
  done: readonly Desired[];
  live: Map<string, LiveObject>;
  /** What the inventory has and the stack has no more. */
  leftovers: readonly ObjectRef[];
  unknownLeftovers: ReadonlyMap<string, Error>;
}

async function look({ effects }: AttemptPorts, attempt: StackAttempt, inventory: Inventory): Promise<Looked> {
  const { owner, desired, unserved, policy } = attempt;
  const wanted = new Set(desired.map(({ key }) => key));
  // Of a kind that is not served it is not known which object an unserved one names: none of them is taken for left over.
  const unknownKinds = new Set(unserved.map(kindKey));
  const leftovers = inventory.objects.filter((ref) => !wanted.has(objectKey(ref)) && !unknownKinds.has(kindKey(ref)));
  const watched = policy.drift === 'ignore' ? desired.filter((object) => driftModeOf(object, undefined, 'ignore') !== 'ignore') : desired;
  const { live, unknown } = await observe(
    effects,
    watched.map(({ ref }) => ref),
    ownedBy(owner),
  );
  requireKnown({ live, unknown }, wanted);
  const done = watched.filter((object) => !live.has(object.key) && isDone(object, attempt));
  const held = watched.filter((object) => !done.includes(object));
  const missing = held.filter(({ key }) => !live.has(key)).map(({ ref }) => ref);
  // An object that seems to be gone may have been taken over by someone else.
  const others = await observe(effects, missing, ownedBySomeone);
  requireKnown(others, wanted);
  const left = await observeOwned(effects, inventory, leftovers);
  for (const [key, object] of [...others.live, ...left.live]) live.set(key, object);
  return { held, done, live, leftovers, unknownLeftovers: left.unknown };
}

async function judge(
  effects: ClusterEffects,
  { owner, policy, inventory }: StackAttempt,
  { held, live }: Looked,
  { seen, fights }: EarlierLooks,
): Promise<Judged> {
  const modeOf = (object: Desired) => driftModeOf(object, live.get(object.key), policy.drift);
  const isSuspect = ({ key }: Desired) => live.has(key) && seen.get(key) !== live.get(key)?.metadata.resourceVersion;
  const isForeign = ({ key }: Desired) => otherOwnerOf(live.get(key), owner) !== undefined;
  const suspects = held.filter((object) => isSuspect(object) && !isForeign(object) && modeOf(object) !== 'ignore');
  const { drifts, unknown, moved } = await driftOf(effects, suspects, live, new Set(inventory?.adopted));
  const nowMs = effects.clock.monotonicMs();
  const staysAsItIs = (object: Desired) => {
    const hasDrifted = drifts.has(object.key) || !live.has(object.key);
    return hasDrifted && (modeOf(object) === 'report' || isSlowedDown(fights, object.key, nowMs));
  };
  const onlyReported = held.filter(staysAsItIs);
  return { drifts, unknown, moved, onlyReported, toCorrect: held.filter((object) => !onlyReported.includes(object)) };
}

/** If a definition can't come back, the objects that don't need it still can. */
async function correct(effects: ClusterEffects, claimant: Claimant, stages: readonly Stage[]): Promise<StagesResult> {
  const apply = (names: readonly Stage['name'][]) =>
    applyStages(
      effects,
      { ...claimant, owns: () => true },
      stages.filter(({ name }) => names.includes(name)),
    );
  const definitions = await apply(['definitions']);
  const rest = await apply(['workloads', 'admission']);
  return {
    outcomes: [...definitions.outcomes, ...rest.outcomes],
    live: new Map([...definitions.live, ...rest.live]),
    failures: [...definitions.failures, ...rest.failures],
  };
}

async function noteInventory(
  { inventories }: AttemptPorts,
  { desired, unserved }: StackAttempt,
  inventory: Inventory,
  { applied, pruned }: { applied: StagesResult; pruned: PruneResult },
): Promise<void> {
  const known = new Map(inventory.objects.map((ref) => [objectKey(ref), ref]));
  const unknownKinds = new Set(unserved.map(kindKey));
  const objects = union<OwnedRef>(
    [...pruned.survivors, ...inventory.objects.filter((ref) => unknownKinds.has(kindKey(ref)))],
    desired.map(({ key, ref }) => known.get(key) ?? ref),
  );
  const adopted = new Set(inventory.adopted);
  for (const [key, object] of applied.live) {
    if (isAdopted(object)) adopted.add(key);
    else adopted.delete(key);
  }
  const adoptedNow = [...adopted].filter((key) => keysOf(objects).has(key));
  const isAsItWas = isEqual([...keysOf(objects)], [...keysOf(inventory.objects)]) && isEqual(adoptedNow, inventory.adopted ?? []);
  if (!isAsItWas) await inventories.put({ ...inventory, ownedBefore: pruned.ownedBefore, adopted: adoptedNow, objects });
}

const kindKey = ({ apiVersion, kind }: ObjectRef): string => `${groupOf(apiVersion)}/${kind}`;

const isEqual = (some: readonly string[], others: readonly string[]): boolean => [...some].sort().join() === [...others].sort().join();

const otherOwnerOf = (live: LiveObject | undefined, owner: Owner): string | undefined => live && otherOwner(live, owner);
