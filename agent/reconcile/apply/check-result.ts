import type { ObjectOutcome } from '../../../lib/fleet/protocol/agent-protocol.ts';
import type { LiveObject, ObjectRef } from '../../cluster/cluster.ts';
import { MESSAGES } from '../../operator-messages.ts';
import type { Desired } from '../desired/desired.ts';
import { objectKey } from '../desired/object-key.ts';
import { correctionText, driftText, isCorrection, objectOutcome, refIn } from '../effects/outcome.ts';
import { mayPass, type Refusal } from '../effects/refusals.ts';
import type { Plan } from '../plan/plan.ts';
import { type PruneResult, withPrune } from '../removal/prune.ts';
import { failureOutcome, type StagesResult } from './apply-stages.ts';
import { type Drift, driftMessage, isCorrectable } from './drift.ts';
import { type Fights, isSlowedDown, noteCorrection } from './fights.ts';
import { pathText } from './object-difference.ts';
import { refusalOutcomes, unservedOutcome } from './refused-objects.ts';
import type { AttemptResult } from './stack-attempt.ts';

/** A field that somebody else changes back whenever it was corrected. */
export interface FoughtField {
  object: ObjectRef;
  field: string;
  manager: string;
}

/** `drift` says in words what has drifted and is only reported; empty if nothing has. */
export type CheckResult = AttemptResult & { corrected: number; drift: string; fought: readonly FoughtField[] };

/** What a look at a stack has found out. */
export interface Judged {
  drifts: ReadonlyMap<string, Drift>;
  /** The API server did not say whether they have drifted. */
  unknown: ReadonlyMap<string, Refusal>;
  /** They changed while they were looked at. */
  moved: ReadonlySet<string>;
  /** They stay as they are, and are told of. */
  onlyReported: readonly Desired[];
  /** All the others, in order or not. */
  toCorrect: readonly Desired[];
}

export interface Checked {
  live: Map<string, LiveObject>;
  /** Finished Jobs that are gone. */
  done: readonly Desired[];
  unserved: readonly ObjectRef[];
  judged: Judged;
  planned: Plan;
  applied: StagesResult;
  pruned: PruneResult;
}

/** Tells of a look, counts the corrections, and leaves in `live` what is known to be in order. */
export function checkResult(checked: Checked, fights: Fights, nowMs: number): CheckResult {
  const { live, done, unserved, judged, planned, applied, pruned } = checked;
  const refused = planned.refused.map(({ ref, because, owner }) =>
    objectOutcome(ref, { action: 'failed', because: 'foreign', message: owner === undefined ? because : MESSAGES.belongsTo(owner) }),
  );
  const fought: FoughtField[] = [];
  const corrections = applied.outcomes.map((outcome) => {
    const drift = judged.drifts.get(keyOf(outcome));
    const isFight = isCorrection(outcome) && noteCorrection(fights, keyOf(outcome), nowMs);
    if (isFight) fought.push(...foughtFields(outcome, drift));
    return withDrift(outcome, drift, isFight);
  });
  const reported = reportedOutcomes(judged, fights, nowMs);
  const unchanged = planned.left
    .filter(({ key, because }) => because === 'unchanged' && !judged.unknown.has(key) && !judged.drifts.has(key))
    .map(({ ref }) => objectOutcome(ref, { action: 'unchanged' }));
  const finished = done.map(({ ref }) => objectOutcome(ref, { action: 'unchanged', because: 'finished' }));
  const unknown = [...judged.unknown.values()];
  const failed = [...refused, ...unserved.map(unservedOutcome), ...refusalOutcomes(unknown), ...applied.failures.map(failureOutcome)];
  const objects = [...failed, ...corrections, ...reported, ...pruned.outcomes, ...unchanged, ...finished];

  // Objects that are not known to be in order are looked at again next time.
  const unsure = [...planned.refused.map((action) => action.key), ...judged.unknown.keys(), ...judged.drifts.keys(), ...judged.moved];
  for (const key of unsure) live.delete(key);
  for (const [key, object] of applied.live) live.set(key, object);
  const corrected = corrections.filter(isCorrection).length;
  const outcome = withPrune(pruned, objects);
  const told = { live, corrected, drift: reported.length > 0 ? driftText(reported) : '', fought };
  const problems = [
    refused.length > 0 ? MESSAGES.objectsLost() : undefined,
    unknown.length > 0 ? MESSAGES.driftNotLookedFor() : undefined,
    applied.failures.length > 0 ? MESSAGES.driftNotCorrected() : undefined,
    unserved.length > 0 ? MESSAGES.kindsGone() : undefined,
  ].filter((problem) => problem !== undefined);
  if (problems.length === 0) return { ...told, outcome };
  const mayPassByItself = refused.length === 0 && pruned.problem === undefined && mayPass([...unknown, ...applied.failures]);
  const summary = [...problems, ...(pruned.problem ? [pruned.problem] : []), ...(corrected > 0 ? [correctionText(outcome)] : [])].join(
    '; ',
  );
  return { ...told, outcome: { ...outcome, status: 'FAILURE', summary, ...(mayPassByItself && { mayPass: true }) } };
}

/** What has drifted and stays so, and what others have added who may have a right to. */
function reportedOutcomes({ onlyReported, toCorrect, drifts }: Judged, fights: Fights, nowMs: number): ObjectOutcome[] {
  const stays = onlyReported.map(({ key, ref }) => {
    const drift = drifts.get(key);
    if (!drift) return objectOutcome(ref, { action: 'skipped', because: 'missing' });
    const text = driftMessage(drift);
    const message = isSlowedDown(fights, key, nowMs) ? MESSAGES.fight(text) : text;
    return objectOutcome(ref, { action: 'skipped', because: 'drifted', message });
  });
  const added = toCorrect.flatMap(({ key }) => drifts.get(key) ?? []).filter((drift) => !isCorrectable(drift));
  return [
    ...stays,
    ...added.map((drift) => objectOutcome(drift.object.ref, { action: 'skipped', because: 'drifted', message: driftMessage(drift) })),
  ];
}

function withDrift(outcome: ObjectOutcome, drift: Drift | undefined, isFight: boolean): ObjectOutcome {
  if (outcome.action !== 'corrected') return outcome;
  const text = drift ? driftMessage(drift, ({ byHand }) => byHand) : MESSAGES.deleted();
  const message = isFight ? MESSAGES.fight(text) : drift && text;
  return message ? { ...outcome, message } : outcome;
}

function foughtFields(outcome: ObjectOutcome, drift: Drift | undefined): FoughtField[] {
  const object = refIn(outcome);
  if (!drift) return [{ object, field: '', manager: '' }];
  const { changed, added } = drift;
  return [
    ...(changed ? [{ object, field: pathText(changed.path), manager: changed.by ?? '' }] : []),
    ...added.flatMap(({ byHand, manager, paths }) => (byHand ? [{ object, field: pathText(paths[0] ?? []), manager }] : [])),
  ];
}

const keyOf = (outcome: ObjectOutcome): string => objectKey(refIn(outcome));
