import { ClusterError, isChanged, isImmutable, type LiveObject, type ObjectRef } from '../../cluster/cluster.ts';
import { MESSAGES } from '../../operator-messages.ts';
import type { Desired } from '../desired/desired.ts';
import { FIELD_MANAGER, isOwned, markAdopted, USER_ANNOTATION } from '../desired/ownership.ts';
import { applyOptions, type ClusterEffects } from '../effects/cluster-effects.ts';
import { EARLIER_MANAGERS, itemsBeyond } from '../plan/added-fields.ts';
import { type Claimant, claim } from '../plan/claim.ts';
import { type Action, type ApplyReason, ontoOf } from '../plan/plan.ts';

type Apply = Extract<Action, { do: 'apply' }>;

const LOOKS_MAX = 5;

/**
 * Applies an object onto what was planned for. If that changed meanwhile, such as by an object that somebody else made, or by an
 * earlier apply of ours whose answer was lost, it looks at what is there now and judges again.
 */
export async function applyClaimed(
  effects: ClusterEffects,
  claimant: Claimant,
  planned: Apply,
): Promise<{ live: LiveObject; because: ApplyReason }> {
  const { object } = planned;
  let next: Pick<Apply, 'because' | 'adopted' | 'onto'> = { ...planned };
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    try {
      if (isTakeOver(next)) next.onto = await takeItems(effects, object, next.onto);
      const manifest = next.adopted ? markAdopted(object.manifest) : object.manifest;
      const options = { ...applyOptions(effects, object), ...(next.onto && { onto: next.onto }) };
      const live = await effects.cluster.apply(manifest, options).catch((error: unknown) => {
        if (!isImmutable(error) || !object.recreate) throw error;
        if (next.adopted) throw new ClusterError(MESSAGES.notRecreated(), { status: 409, reason: 'Foreign' });
        return recreate(effects, object, claimant);
      });
      if (isTakeOver(next)) await migrateFields(effects, object.ref, live);
      return { live, because: next.because };
    } catch (error) {
      if (!isChanged(error)) throw error;
    }
    const existing = await effects.cluster.find(object.ref, effects.stop);
    if (!existing) {
      next = { because: planned.because === 'adopted' ? 'new' : planned.because, adopted: false, onto: 'absent' };
      continue;
    }
    const mine = claim(existing, object, claimant);
    if (mine.may === 'refuse') throw new ClusterError(mine.because, { status: 409, reason: 'Foreign' });
    next = { because: mine.because ?? planned.because, adopted: mine.adopted, onto: ontoOf(existing, mine) };
  }
  throw new ClusterError(MESSAGES.changesTooFast(), { status: 409, reason: 'Conflict' });
}

const isTakeOver = ({ because }: Pick<Apply, 'because'>): boolean => because === 'adopted' || because === 'taken over';

/** Makes the items that kubectl or Helm have beyond the stack's own its own, in the very state that was judged, so that they go with the apply. */
async function takeItems({ cluster, stop }: ClusterEffects, { ref, manifest }: Desired, onto: Apply['onto']): Promise<Apply['onto']> {
  if (onto === undefined || onto === 'absent' || onto.resourceVersion === undefined) return onto;
  const { uid, resourceVersion } = onto;
  const existing = await cluster.find(ref, stop);
  const fields = existing && itemsBeyond(existing, manifest);
  if (!fields) return onto;
  const options = { uid, resourceVersion, from: EARLIER_MANAGERS, fields, fieldManager: FIELD_MANAGER, signal: stop };
  return { uid, resourceVersion: (await cluster.takeFields(ref, options)) ?? resourceVersion };
}

const GONE_WITHIN_MS = 60_000;
const LOOK_MS = 500;

/** Deletes exactly the object that is this stack's, waits until it is gone, and creates it again. */
async function recreate(effects: ClusterEffects, { ref, manifest }: Desired, { owner }: Claimant): Promise<LiveObject> {
  const { cluster, clock, stop } = effects;
  const existing = await cluster.find(ref, stop);
  if (existing && !isOwned(existing, owner)) throw new ClusterError(MESSAGES.notRecreated(), { status: 409, reason: 'Foreign' });
  if (existing?.metadata.annotations?.[USER_ANNOTATION.keep] === 'true')
    throw new ClusterError(MESSAGES.keptNotRecreated(), { status: 409, reason: 'Kept' });
  if (existing) await cluster.delete(ref, { uid: existing.metadata.uid, signal: stop });
  const deadlineMs = clock.monotonicMs() + GONE_WITHIN_MS;
  while ((await cluster.find(ref, stop))?.metadata.uid === existing?.metadata.uid && existing) {
    if (clock.monotonicMs() >= deadlineMs)
      throw new ClusterError(MESSAGES.notGone(GONE_WITHIN_MS / 1000), { status: 504, reason: 'Timeout' });
    await clock.sleep(LOOK_MS, stop);
  }
  return cluster.apply(manifest, { fieldManager: FIELD_MANAGER, force: true, onto: 'absent', signal: stop });
}

/**
 * The fields of an adopted object that the stack names become the stack's alone, as kubectl's own upgrade to server-side apply has it: a field
 * that leaves the stack then leaves the object. What others have set beside them stays theirs.
 */
async function migrateFields({ cluster, stop }: ClusterEffects, ref: ObjectRef, { metadata: { uid } }: LiveObject): Promise<void> {
  await cluster.takeFields(ref, { uid, from: EARLIER_MANAGERS, fields: 'shared', fieldManager: FIELD_MANAGER, signal: stop });
}
