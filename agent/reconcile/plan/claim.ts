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
}

/** The right of a stack to an object that is there. With `adopted` it may change the object, but never delete it. */
export type Claim = { may: 'refuse'; because: string } | { may: 'apply'; because?: 'adopted' | 'taken over'; adopted: boolean };

/** Labels and annotations are written in one request with all else, so an object that carries our labels was applied by us. */
export function claim(live: LiveObject, { key, ref, manifest }: Desired, { owner, adopt, adopted, owns }: Claimant): Claim {
  const mode = adoptMode(manifest, adopt);
  const other = otherOwner(live, owner);
  if (other !== undefined && !isLeftBehind(live, ref, owner.agentId, owns)) return { may: 'refuse', because: MESSAGES.belongsTo(other) };
  if (live.metadata.labels?.[OWNER_KEY] !== undefined)
    return { may: 'apply', adopted: (isAdopted(live) || adopted.has(key)) && mode !== 'own' };
  if (mode === 'own') return { may: 'apply', because: 'taken over', adopted: false };
  if (mode === 'adopt') return { may: 'apply', because: 'adopted', adopted: true };
  return { may: 'refuse', because: MESSAGES.neverAdopted(USER_ANNOTATION.adopt) };
}

const isLeftBehind = ({ metadata: { labels, annotations } }: LiveObject, ref: ObjectRef, agentId: string, owns: Claimant['owns']) =>
  (annotations?.[USER_ANNOTATION.keep] === 'true' || isContainer(ref)) &&
  labels?.[OWNER_KEY] === agentId &&
  !owns(labels[STACK_KEY] ?? '', ref);
