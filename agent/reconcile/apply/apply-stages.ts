import type { ObjectOutcome } from '../../../lib/fleet/protocol/agent-protocol.ts';
import type { LiveObject } from '../../cluster/cluster.ts';
import { isObject } from '../../cluster/json-object.ts';
import { MESSAGES } from '../../operator-messages.ts';
import type { Desired } from '../desired/desired.ts';
import { type ClusterEffects, forEach, retrying, settlingTime } from '../effects/cluster-effects.ts';
import { objectOutcome } from '../effects/outcome.ts';
import { dependsOnOthers, type Refusal } from '../effects/refusals.ts';
import type { Claimant } from '../plan/claim.ts';
import type { Action, ApplyReason, Stage } from '../plan/plan.ts';
import { applyClaimed } from './apply-claimed.ts';
import { refusalText } from './refused-objects.ts';

const ESTABLISHED_WITHIN_MS = 30_000;
const LOOK_AGAIN_MS = 100;

export interface StagesResult {
  /** Of what was applied. */
  outcomes: ObjectOutcome[];
  live: Map<string, LiveObject>;
  failures: Failure[];
}

/** `action` is absent for a definition that was applied, but never served. */
export interface Failure extends Refusal {
  action?: ApplyAction;
}

type ApplyAction = Extract<Action, { do: 'apply' }>;

/** Applies stage after stage. A failing object does not hold up the others, but a definition that fails ends the attempt. */
export async function applyStages(effects: ClusterEffects, claimant: Claimant, stages: readonly Stage[]): Promise<StagesResult> {
  const result: StagesResult = { outcomes: [], live: new Map(), failures: [] };
  for (const stage of stages) {
    const actions = stage.actions.filter((action) => action.do === 'apply');
    await applyAll(effects, claimant, actions, result);
    if (stage.name !== 'definitions') continue;
    if (result.failures.length > 0) return result;
    for (const { object } of actions) {
      if (object.ref.kind !== 'CustomResourceDefinition' || (await established(effects, object))) continue;
      result.failures.push({ object, error: new Error(MESSAGES.notEstablished(ESTABLISHED_WITHIN_MS / 1000)) });
    }
  }
  return await applyRefused(effects, claimant, result);
}

async function applyAll(
  effects: ClusterEffects,
  claimant: Claimant,
  actions: readonly ApplyAction[],
  { live, outcomes, failures }: StagesResult,
): Promise<void> {
  for (const applied of await forEach(effects, actions, (action) => applyClaimed(effects, claimant, action))) {
    const { object } = applied.item;
    if ('error' in applied) {
      failures.push({ object, error: applied.error, action: applied.item });
      continue;
    }
    const { because } = applied.value;
    live.set(object.key, applied.value.live);
    outcomes.push(objectOutcome(object.ref, { action: ACTION[because], because }));
  }
}

/** Tries once more what others of these objects may have allowed meanwhile, until that has taken effect. */
async function applyRefused(effects: ClusterEffects, claimant: Claimant, result: StagesResult): Promise<StagesResult> {
  const settling = settlingTime(effects);
  while (result.failures.some(isOpen) && result.outcomes.length > 0 && (await settling.goesOn())) {
    const open = result.failures.filter(isOpen);
    result.failures = result.failures.filter((failure) => !isOpen(failure));
    await applyAll(
      effects,
      claimant,
      open.flatMap(({ action }) => action ?? []),
      result,
    );
  }
  return result;
}

const isOpen = ({ action, error }: Failure): boolean => action !== undefined && dependsOnOthers(error);

export const failureOutcome = ({ object, error, action }: Failure): ObjectOutcome =>
  objectOutcome(object.ref, { action: 'failed', ...(action && { because: action.because }), message: refusalText(object, error) });

const ACTION = {
  new: 'created',
  changed: 'configured',
  missing: 'corrected',
  drifted: 'corrected',
  adopted: 'adopted',
  'taken over': 'configured',
} as const satisfies Record<ApplyReason, ObjectOutcome['action']>;

/** Waits until the API server serves the kind a CRD defines, in discovery too. */
async function established(effects: ClusterEffects, { ref, manifest }: Desired): Promise<boolean> {
  const { cluster, clock, stop } = effects;
  const deadline = clock.monotonicMs() + ESTABLISHED_WITHIN_MS;
  for (;;) {
    const live = await retrying(effects, () => cluster.find(ref));
    if (live && isEstablished(live)) {
      const kinds = await Promise.all(
        servedKinds(manifest).map(({ apiVersion, kind }) => cluster.findKind(apiVersion, kind, { fresh: true })),
      );
      if (kinds.every((kind) => kind !== undefined)) return true;
    }
    if (clock.monotonicMs() >= deadline) return false;
    await clock.sleep(LOOK_AGAIN_MS, stop);
  }
}

function isEstablished({ status }: LiveObject): boolean {
  const conditions = isObject(status) && Array.isArray(status.conditions) ? status.conditions : [];
  return conditions.some((condition) => isObject(condition) && condition.type === 'Established' && condition.status === 'True');
}

function servedKinds({ spec }: Desired['manifest']): { apiVersion: string; kind: string }[] {
  if (!isObject(spec) || !isObject(spec.names) || !Array.isArray(spec.versions)) return [];
  const { group } = spec;
  const kind = String(spec.names.kind);
  return spec.versions
    .filter(isObject)
    .filter(({ served }) => served === true)
    .map(({ name }) => ({ apiVersion: `${group}/${name}`, kind }));
}
