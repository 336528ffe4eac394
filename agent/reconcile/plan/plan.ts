import type { LiveObject, ObjectRef } from '../../cluster/cluster.ts';
import { contentOf, isContainer } from '../desired/containers.ts';
import type { Desired } from '../desired/desired.ts';
import { rankOf, type StageName } from '../desired/kind-order.ts';
import { objectKey } from '../desired/object-key.ts';
import { isOwned, OWNER_KEY, type Owner, otherOwner, STACK_KEY, USER_ANNOTATION } from '../desired/ownership.ts';

export type ApplyReason = 'new' | 'changed' | 'missing' | 'drifted';
export type PruneReason = 'left the stack' | 'deletion marker' | 'withdrawn';
export type LeaveReason = 'unchanged' | 'gone' | 'not labelled as ours' | 'kept' | 'controlled' | 'terminating' | 'not served';

export type Action =
  | { do: 'apply'; object: Desired; because: ApplyReason }
  | { do: 'prune'; key: string; ref: ObjectRef; uid: string; live: LiveObject; because: PruneReason }
  | { do: 'leave'; key: string; ref: ObjectRef; because: LeaveReason; error?: Error }
  | { do: 'refuse'; key: string; ref: ObjectRef; because: string };

/** Actions of equal rank: they may be carried out at once, and all before the next stage. */
export interface Stage {
  name: StageName | 'prune';
  actions: Action[];
}

export interface Plan {
  /** What must not be touched though it is wanted: where there is any, nothing of new contents is applied. */
  refused: Extract<Action, { do: 'refuse' }>[];
  left: Extract<Action, { do: 'leave' }>[];
  stages: Stage[];
}

export interface PlanInput {
  owner: Owner;
  desired: readonly Desired[];
  /** What the stack owned before. */
  inventory: readonly ObjectRef[];
  /** Live objects by key, as far as they had to be looked at: those which carry anyone's owner label. */
  live: ReadonlyMap<string, LiveObject>;
  /** Why it is not known whether an object is there, by key. */
  unknown?: ReadonlyMap<string, Error>;
  /** Whether a stack of this agent owns an object: one that was kept when it left, or what such a one is in, may be taken over. */
  owns?: (stackId: string, ref: ObjectRef) => boolean;
  /** Everything, for new contents; else only what is missing or drifted, by key. */
  apply: 'all' | { drifted: ReadonlySet<string> };
  /** Why objects leave. */
  pruneReason: PruneReason;
}

/** What must change for the cluster to match; touches nothing and reads no clock. */
export function plan({ owner, desired, inventory, live, unknown = new Map(), owns = () => true, apply, pruneReason }: PlanInput): Plan {
  const before = new Set(inventory.map(objectKey));
  const wanted = new Set(desired.map(({ key }) => key));

  const isLeftBehind = ({ metadata: { labels, annotations } }: LiveObject, ref: ObjectRef) =>
    (annotations?.[USER_ANNOTATION.keep] === 'true' || isContainer(ref)) &&
    labels?.[OWNER_KEY] === owner.agentId &&
    !owns(labels[STACK_KEY] ?? '', ref);

  const applies = desired.map((object): Action => {
    const { key, ref } = object;
    const existing = live.get(key);
    const other = existing && otherOwner(existing, owner);
    if (other && !isLeftBehind(existing, ref)) return { do: 'refuse', key, ref, because: `belongs to ${other}` };
    if (apply === 'all') return { do: 'apply', object, because: before.has(key) ? 'changed' : 'new' };
    if (!existing) return { do: 'apply', object, because: 'missing' };
    return apply.drifted.has(key) ? { do: 'apply', object, because: 'drifted' } : { do: 'leave', key, ref, because: 'unchanged' };
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
      if (ownerReferences?.length) return { do: 'leave', key, ref, because: 'controlled' };
      if (annotations?.[USER_ANNOTATION.keep] === 'true') return { do: 'leave', key, ref, because: 'kept' };
      if (deletionTimestamp !== undefined) return { do: 'leave', key, ref, because: 'terminating' };
      return { do: 'prune', key, ref, uid, live: existing, because: pruneReason };
    });
  // What is kept would go with what it is in.
  const kept = prunes.flatMap((action) => (action.do === 'leave' && action.because === 'kept' ? [action.ref] : []));
  const pruned = prunes.map((action): Action => {
    if (action.do !== 'prune' || !kept.some(contentOf(action.ref, action.live) ?? (() => false))) return action;
    return { do: 'leave', key: action.key, ref: action.ref, because: 'kept' };
  });

  return {
    refused: applies.filter((action) => action.do === 'refuse'),
    left: [...applies, ...pruned].filter((action) => action.do === 'leave'),
    stages: [
      ...stages(
        applies.filter((action) => action.do === 'apply'),
        (action) => action.object.rank,
        (action) => action.object.stage,
      ),
      ...stages(
        pruned.filter((action) => action.do === 'prune'),
        (action) => -rankOf(action.ref),
        () => 'prune' as const,
      ),
    ],
  };
}

function stages<A extends Action>(actions: readonly A[], rank: (action: A) => number, name: (action: A) => Stage['name']): Stage[] {
  const byRank = new Map<number, A[]>();
  for (const action of actions) {
    const stage = byRank.get(rank(action));
    if (stage) stage.push(action);
    else byRank.set(rank(action), [action]);
  }
  return [...byRank].sort(([a], [b]) => a - b).flatMap(([, members]) => (members[0] ? [{ name: name(members[0]), actions: members }] : []));
}
