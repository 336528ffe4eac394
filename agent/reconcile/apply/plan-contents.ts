import { ClusterError, isUnserved, type LiveObject, TOO_MANY } from '../../cluster/cluster.ts';
import type { Desired } from '../desired/desired.ts';
import { objectKey, refOf } from '../desired/object-key.ts';
import { ownedBySomeone } from '../desired/ownership.ts';
import { type ClusterEffects, forEach } from '../effects/cluster-effects.ts';
import { observeOwned } from '../inventory/observe-owned.ts';
import type { Claimant } from '../plan/claim.ts';
import { type Observed, observe, requireKnown } from '../plan/observe.ts';
import { type Plan, plan } from '../plan/plan.ts';
import type { AttemptPorts } from '../removal/attempt-ports.ts';
import type { StackAttempt } from './stack-attempt.ts';
import type { Validation } from './validate-stack.ts';

export const claimantOf = ({ inventories }: Pick<AttemptPorts, 'inventories'>, { owner, policy, inventory }: StackAttempt): Claimant => ({
  owner,
  adopt: policy.adopt,
  adopted: new Set(inventory?.adopted),
  owns: inventories.owns,
  takesOver: policy.takesOver,
});

/**
 * The contents that are surely the stack's: an update that adds and drops nothing looks at nothing. What another stack owns too may have been taken
 * over since.
 */
function settledIn({ inventories }: AttemptPorts, { owner, inventory }: StackAttempt): ReadonlyMap<string, string | undefined> {
  if (!inventory?.isApplied) return new Map();
  const isOthers = inventories.ownedByOthers(owner.stackId);
  return new Map(inventory.objects.filter((ref) => !isOthers(ref)).map((ref) => [objectKey(ref), ref.uid]));
}

/** The objects with an owner's labels among the contents, as far as they are not surely ours yet, and among what leaves. */
export async function lookAtOwned(ports: AttemptPorts, attempt: StackAttempt): Promise<Observed> {
  const { effects } = ports;
  const { desired, inventory } = attempt;
  const settled = settledIn(ports, attempt);
  const wanted = new Set(desired.map(({ key }) => key));
  const unsure = desired.filter(({ key }) => !settled.has(key));
  const leaving = (inventory?.objects ?? []).filter((ref) => !wanted.has(objectKey(ref)));
  const [mine, left] = await Promise.all([
    observe(
      effects,
      unsure.map(({ ref }) => ref),
      ownedBySomeone,
    ),
    observeOwned(effects, inventory ?? {}, leaving),
  ]);
  requireKnown(
    mine,
    unsure.map(({ key }) => key),
  );
  return { live: new Map([...mine.live, ...left.live]), unknown: left.unknown };
}

/** The namespaces a stack brings that do not exist yet. */
export async function missingNamespaces(effects: ClusterEffects, desired: readonly Desired[]): Promise<string[]> {
  const brought = desired.filter(({ ref }) => ref.kind === 'Namespace' && ref.apiVersion === 'v1');
  const found = await findAll(effects, brought);
  return brought.filter(({ key }) => !found.has(key)).map(({ ref }) => ref.name);
}

/** Adds the objects that belong to nobody: a dry run met them, or, if none could be made, a look finds them. */
export async function planContents(
  ports: AttemptPorts,
  attempt: StackAttempt,
  { live, unknown }: Observed,
  { early, late, newNamespaces }: { early: Validation; late: readonly Desired[]; newNamespaces: readonly string[] },
): Promise<Plan> {
  const { desired, inventory } = attempt;
  const settled = settledIn(ports, attempt);
  const unjudged = new Set([...late, ...early.waiting].map(({ key }) => key));
  const candidates = desired.filter(({ key }) => !settled.has(key) && !live.has(key));
  const [met, found] = await Promise.all([
    findAll(
      ports.effects,
      candidates.filter(({ key }) => early.existing.has(key)),
    ),
    lookFor(
      ports.effects,
      candidates.filter(({ key, ref }) => unjudged.has(key) && !newNamespaces.includes(ref.namespace ?? '')),
    ),
  ]);
  return plan({
    desired,
    inventory: inventory?.objects ?? [],
    live: new Map([...live, ...met, ...found]),
    unknown,
    settled,
    apply: 'all',
    pruneReason: 'left the stack',
    ...claimantOf(ports, attempt),
  });
}

/** So many objects of a kind and a namespace are looked for with one list. */
const FEW = 10;

/** Returns the objects that exist already; most are new. Their metadata is enough to judge them. */
async function lookFor(effects: ClusterEffects, objects: readonly Desired[]): Promise<Map<string, LiveObject>> {
  const places = Map.groupBy(objects, ({ ref: { apiVersion, kind, namespace } }) => `${apiVersion} ${kind} ${namespace ?? ''}`);
  const few = [...places.values()].filter((place) => place.length <= FEW).flat();
  const many = [...places.values()].filter((place) => place.length > FEW);
  const found = await findAll(effects, few);
  for (const result of await forEach(effects, many, (place) => listPlace(effects, place))) {
    if (!('error' in result)) for (const [key, object] of result.value) found.set(key, object);
    else if (!isUnserved(result.error)) throw result.error;
  }
  return found;
}

async function listPlace(effects: ClusterEffects, place: readonly Desired[]): Promise<Iterable<[string, LiveObject]>> {
  const [first] = place;
  if (!first) return [];
  const { apiVersion, kind, namespace } = first.ref;
  const keys = new Set(place.map(({ key }) => key));
  try {
    const listed = await effects.cluster.listMetadata({ apiVersion, kind, namespace }, effects.stop);
    const found = listed.map((object): [string, LiveObject] => [objectKey({ ...refOf(object), apiVersion, kind }), object]);
    return found.filter(([key]) => keys.has(key));
  } catch (error) {
    if (error instanceof ClusterError && error.reason === TOO_MANY) return findAll(effects, place);
    throw error;
  }
}

async function findAll(effects: ClusterEffects, objects: readonly Desired[]): Promise<Map<string, LiveObject>> {
  const found = new Map<string, LiveObject>();
  for (const result of await forEach(effects, objects, ({ ref }) => effects.cluster.find(ref, effects.stop))) {
    if ('error' in result) {
      // There are no objects of a kind that the stack itself is about to define.
      if (!isUnserved(result.error)) throw result.error;
    } else if (result.value) found.set(result.item.key, result.value);
  }
  return found;
}
