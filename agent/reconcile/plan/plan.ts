import type { ApplyOptions, LiveObject, ObjectRef } from '../../cluster/cluster.ts';
import { contentOf } from '../desired/containers.ts';
import type { Desired } from '../desired/desired.ts';
import { removalRankOf, type StageName } from '../desired/kind-order.ts';
import { objectKey } from '../desired/object-key.ts';
import { type AdoptMode, adoptMode, isAdopted, isOwned, type Owner, otherOwner, USER_ANNOTATION } from '../desired/ownership.ts';
import { type Claimant, claim } from './claim.ts';

export type ApplyReason = 'new' | 'changed' | 'missing' | 'drifted' | 'adopted' | 'taken over';
export type PruneReason = 'left the stack' | 'deletion marker' | 'withdrawn';
export type LeaveReason = 'unchanged' | 'gone' | 'not labelled as ours' | 'kept' | 'controlled' | 'terminating' | 'not served';

export type Action =
  | { do: 'apply'; object: Desired; because: ApplyReason; adopted: boolean; onto: ApplyOptions['onto'] }
  | { do: 'prune'; key: string; ref: ObjectRef; uid: string; live: LiveObject; because: PruneReason }
  /** It was adopted: our marks are taken off it, and it stays. */
  | { do: 'release'; key: string; ref: ObjectRef; uid: string; live: LiveObject; because: PruneReason }
  | { do: 'leave'; key: string; ref: ObjectRef; because: LeaveReason; error?: Error; live?: LiveObject }
  | { do: 'refuse'; key: string; ref: ObjectRef; because: string; owner: string | undefined };

/** Actions of equal rank: they may be carried out at once, and all before the next stage. */
export interface Stage {
  name: StageName | 'prune';
  actions: Action[];
}

export interface Plan {
  /** Wanted objects that must not be touched: if there are any, nothing of new contents is applied. */
  refused: Extract<Action, { do: 'refuse' }>[];
  left: Extract<Action, { do: 'leave' }>[];
  released: Extract<Action, { do: 'release' }>[];
  stages: Stage[];
}

export interface PlanInput {
  owner: Owner;
  desired: readonly Desired[];
  /** The objects that the stack owned before. */
  inventory: readonly ObjectRef[];
  /** The objects that are there, by key. */
  live: ReadonlyMap<string, LiveObject>;
  /** By key, with its uid as far as it is known, what was not looked at, since it was this stack's when it was applied last. */
  settled?: ReadonlyMap<string, string | undefined>;
  /** The keys of what the stack adopted, as its inventory says. */
  adopted?: ReadonlySet<string> | undefined;
  /** The stack's mode, for objects that belong to nobody and say nothing themselves. */
  adopt?: AdoptMode;
  /** Why it is not known whether an object is there, by key. */
  unknown?: ReadonlyMap<string, Error>;
  /** Whether a stack of this agent owns an object: one that was kept when it left, or what such a one is in, may be taken over. */
  owns?: Claimant['owns'];
  takesOver?: Claimant['takesOver'];
  /** Everything, for new contents; else only what is missing or drifted, by key. */
  apply: 'all' | { drifted: ReadonlySet<string> };
  /** Why objects leave. */
  pruneReason: PruneReason;
}

/** Decides what must change for the cluster to match; touches nothing and reads no clock. */
export function plan(input: PlanInput): Plan {
  const {
    owner,
    desired,
    inventory,
    live,
    unknown = new Map<string, Error>(),
    settled = new Map<string, string>(),
    apply,
    pruneReason,
  } = input;
  const { adopted = new Set<string>(), adopt = 'adopt', owns = () => true, takesOver } = input;
  const claimant = { owner, adopt, adopted, owns, takesOver };
  const before = new Set(inventory.map(objectKey));
  const wanted = new Set(desired.map(({ key }) => key));

  const applies = desired.map((object): Action => {
    const { key, ref } = object;
    const existing = live.get(key);
    const because = apply === 'all' ? (before.has(key) ? 'changed' : 'new') : existing ? 'drifted' : 'missing';
    if (!existing) {
      const isSettled = settled.has(key);
      const stillAdopted = isSettled && adopted.has(key) && adoptMode(object.manifest, adopt) !== 'own';
      return { do: 'apply', object, because, adopted: stillAdopted, onto: isSettled ? ontoUid(settled.get(key)) : 'absent' };
    }
    const mine = claim(existing, object, claimant);
    if (mine.may === 'refuse') return { do: 'refuse', key, ref, because: mine.because, owner: otherOwner(existing, owner) };
    if (apply !== 'all' && !apply.drifted.has(key)) return { do: 'leave', key, ref, because: 'unchanged' };
    return { do: 'apply', object, because: mine.because ?? because, adopted: mine.adopted, onto: ontoOf(existing, mine) };
  });

  const prunes = inventory
    .filter((ref) => !wanted.has(objectKey(ref)))
    .map((ref): Action => {
      const key = objectKey(ref);
      const existing = live.get(key);
      const error = unknown.get(key);
      if (error) return { do: 'leave', key, ref, because: 'not served', error };
      if (!existing) return { do: 'leave', key, ref, because: 'gone' };
      if (!isOwned(existing, owner)) return { do: 'leave', key, ref, because: 'not labelled as ours' };
      const { ownerReferences, annotations, uid, deletionTimestamp } = existing.metadata;
      // The user may have handed it over since, on the object itself.
      if ((isAdopted(existing) || adopted.has(key)) && annotations?.[USER_ANNOTATION.adopt] !== 'own')
        return { do: 'release', key, ref, uid, live: existing, because: pruneReason };
      if (ownerReferences?.length) return { do: 'leave', key, ref, because: 'controlled' };
      if (annotations?.[USER_ANNOTATION.keep] === 'true') return { do: 'leave', key, ref, because: 'kept' };
      if (deletionTimestamp !== undefined) return { do: 'leave', key, ref, because: 'terminating', live: existing };
      return { do: 'prune', key, ref, uid, live: existing, because: pruneReason };
    });
  // A kept object would go with its container.
  const kept = prunes.flatMap((action) => (action.do === 'leave' && action.because === 'kept' ? [action.ref] : []));
  const pruned = prunes.map((action): Action => {
    if (action.do !== 'prune' || !kept.some(contentOf(action.ref, action.live) ?? (() => false))) return action;
    return { do: 'leave', key: action.key, ref: action.ref, because: 'kept' };
  });

  return {
    refused: applies.filter((action) => action.do === 'refuse'),
    left: [...applies, ...pruned].filter((action) => action.do === 'leave'),
    released: pruned.filter((action) => action.do === 'release'),
    stages: [
      ...stages(
        applies.filter((action) => action.do === 'apply'),
        (action) => action.object.rank,
        (action) => action.object.stage,
      ),
      ...stages(
        pruned.filter((action) => action.do === 'prune'),
        (action) => -removalRankOf(action.ref),
        () => 'prune' as const,
      ),
    ],
  };
}

const ontoUid = (uid: string | undefined): ApplyOptions['onto'] => (uid === undefined ? undefined : { uid });

/** An object of nobody's is taken in the very state that was judged: somebody else may take it at the same moment. */
export const ontoOf = ({ metadata: { uid, resourceVersion } }: LiveObject, { because }: { because?: unknown }): ApplyOptions['onto'] =>
  because === undefined ? { uid } : { uid, resourceVersion };

function stages<A extends Action>(actions: readonly A[], rank: (action: A) => number, name: (action: A) => Stage['name']): Stage[] {
  const byRank = new Map<number, A[]>();
  for (const action of actions) {
    const stage = byRank.get(rank(action));
    if (stage) stage.push(action);
    else byRank.set(rank(action), [action]);
  }
  return [...byRank].sort(([a], [b]) => a - b).flatMap(([, members]) => (members[0] ? [{ name: name(members[0]), actions: members }] : []));
}
