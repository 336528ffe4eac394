import { TAKES_OVER } from '../../../lib/fleet/protocol/takes-over.ts';
import type { LiveObject, ObjectRef } from '../../cluster/cluster.ts';
import { MESSAGES } from '../../operator-messages.ts';
import { isContainer } from '../desired/containers.ts';
import type { Desired } from '../desired/desired.ts';
import {
  type AdoptMode,
  adoptMode,
  isAdopted,
  OWNER_KEY,
  type Owner,
  otherOwner,
  STACK_KEY,
  USER_ANNOTATION,
} from '../desired/ownership.ts';

export interface Claimant {
  owner: Owner;
  /** The stack's own mode. */
  adopt: AdoptMode;
  /** The keys of what it adopted before, as its inventory says. */
  adopted: ReadonlySet<string>;
  /** Whether a stack of this agent owns an object: one that was kept when it left, or the container of such a one, may be taken over. */
  owns: (stackId: string, ref: ObjectRef) => boolean;
  /** The stack whose objects may be taken over. */
  takesOver?: string | undefined;
}

/** The right of a stack to an object that is there. With `adopted` it may change the object, but never delete it. */
export type Claim = { may: 'refuse'; because: string } | { may: 'apply'; because?: 'adopted' | 'taken over'; adopted: boolean };

/** Labels and annotations are written in one request with all else, so an object that carries our labels was applied by us. */
export function claim(live: LiveObject, { key, ref, manifest }: Desired, { owner, adopt, adopted, owns, takesOver }: Claimant): Claim {
  const mode = adoptMode(manifest, adopt);
  const other = otherOwner(live, owner);
  if (other !== undefined && isOf(live, owner.agentId, takesOver))
    return { may: 'apply', because: 'taken over', adopted: isAdopted(live) && mode !== 'own' };
  if (other !== undefined && !isLeftBehind(live, ref, owner.agentId, owns)) return { may: 'refuse', because: refusal(live, other, owner) };
  if (live.metadata.labels?.[OWNER_KEY] !== undefined)
    return { may: 'apply', adopted: (isAdopted(live) || adopted.has(key)) && mode !== 'own' };
  if (mode === 'own') return { may: 'apply', because: 'taken over', adopted: false };
  if (mode === 'adopt') return { may: 'apply', because: 'adopted', adopted: true };
  return { may: 'refuse', because: MESSAGES.neverAdopted(USER_ANNOTATION.adopt) };
}

const isOf = ({ metadata: { labels } }: LiveObject, agentId: string, stackId: string | undefined): boolean =>
  stackId !== undefined && labels?.[OWNER_KEY] === agentId && labels[STACK_KEY] === stackId;

/** Only what another stack of the same agent owns can be handed over. */
function refusal({ metadata: { labels } }: LiveObject, other: string, { agentId }: Owner): string {
  const stackId = labels?.[OWNER_KEY] === agentId ? labels[STACK_KEY] : undefined;
  return stackId === undefined ? MESSAGES.belongsTo(other) : MESSAGES.belongsToStackOfAgent(stackId, TAKES_OVER, USER_ANNOTATION.keep);
}

const isLeftBehind = ({ metadata: { labels, annotations } }: LiveObject, ref: ObjectRef, agentId: string, owns: Claimant['owns']) =>
  (annotations?.[USER_ANNOTATION.keep] === 'true' || isContainer(ref)) &&
  labels?.[OWNER_KEY] === agentId &&
  !owns(labels[STACK_KEY] ?? '', ref);
