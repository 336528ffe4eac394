import { isUnserved, type LiveObject } from '../../cluster/cluster.ts';
import type { Desired } from '../desired/desired.ts';
import { objectKey } from '../desired/object-key.ts';
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
});

/** The contents that are surely the stack's: an update that adds and drops nothing looks at nothing. */
const settledIn = ({ inventory }: StackAttempt): ReadonlyMap<string, string | undefined> =>
  new Map(inventory?.isApplied ? inventory.objects.map((ref) => [objectKey(ref), ref.uid]) : []);

/** The objects with an owner's labels among the contents, as far as they are not surely ours yet, and among what leaves. */
export async function lookAtOwned({ effects }: AttemptPorts, attempt: StackAttempt): Promise<Observed> {
  const { desired, inventory } = attempt;
  const settled = settledIn(attempt);
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

/** Adds the objects that belong to nobody: a dry run met them, or, if none could be made, a look finds them. */
export async function planContents(
  ports: AttemptPorts,
  attempt: StackAttempt,
  { live, unknown }: Observed,
  { early, late, newNamespaces }: { early: Validation; late: readonly Desired[]; newNamespaces: readonly string[] },
): Promise<Plan> {
  const { desired, inventory } = attempt;
  const settled = settledIn(attempt);
  const unjudged = new Set([...late, ...early.waiting].map(({ key }) => key));
  const candidates = desired.filter(
    ({ key, ref }) =>
      !settled.has(key) &&
      !live.has(key) &&
      (early.existing.has(key) || (unjudged.has(key) && !newNamespaces.includes(ref.namespace ?? ''))),
  );
  const strangers = await findAll(ports.effects, candidates);
  return plan({
    desired,
    inventory: inventory?.objects ?? [],
    live: new Map([...live, ...strangers]),
    unknown,
    settled,
    apply: 'all',
    pruneReason: 'left the stack',
    ...claimantOf(ports, attempt),
  });
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
