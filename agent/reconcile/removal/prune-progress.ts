import type { ObjectOutcome } from '../../../lib/fleet/protocol/agent-protocol.ts';
import type { ObjectRef } from '../../cluster/cluster.ts';
import { MESSAGES } from '../../operator-messages.ts';
import { removalRankOf } from '../desired/kind-order.ts';
import { objectOutcome } from '../effects/outcome.ts';

/** A prune under way. */
export interface PruneProgress {
  outcomes: ObjectOutcome[];
  /** The objects that are not gone: they stay in the inventory. */
  survivors: ObjectRef[];
  /** Nothing of a lower rank is deleted before an object that is still there of this one. */
  blockingRank: number;
  /** Why the prune is not done. */
  problems: string[];
  /** Containers that stay because of other stacks, in words. */
  inUse: string[];
  /** It waits for a confirmation. */
  held: boolean;
}

export const WAITS_FOR_FINALIZERS = { health: 'progressing', message: MESSAGES.waitsForFinalizers() } as const;

export const newPrune = (): PruneProgress => ({ outcomes: [], survivors: [], blockingRank: -1, problems: [], inUse: [], held: false });

type Told = Pick<Partial<ObjectOutcome>, 'health' | 'message'>;

/** The object stays for now. */
export function keep(prune: PruneProgress, ref: ObjectRef, because: string, told: Told = {}): void {
  prune.survivors.push(ref);
  prune.outcomes.push(objectOutcome(ref, { action: 'skipped', because, ...told }));
}

export function fail(prune: PruneProgress, ref: ObjectRef, because: string, message: string): void {
  prune.survivors.push(ref);
  prune.outcomes.push(objectOutcome(ref, { action: 'failed', because, message }));
}

export function block(prune: PruneProgress, ref: ObjectRef): void {
  prune.blockingRank = Math.max(prune.blockingRank, removalRankOf(ref));
}
