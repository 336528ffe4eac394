import type { ObjectOutcome } from '../../../lib/fleet/protocol/agent-protocol.ts';
import type { LiveObject } from '../../cluster/cluster.ts';
import { isObject } from '../../cluster/json-object.ts';
import { MESSAGES } from '../../operator-messages.ts';
import type { Desired } from '../desired/desired.ts';
import { type ClusterEffects, forEach, retrying } from '../effects/cluster-effects.ts';
import { objectOutcome } from '../effects/outcome.ts';
import type { Claimant } from '../plan/claim.ts';
import type { ApplyReason, Stage } from '../plan/plan.ts';
import { applyClaimed } from './apply-claimed.ts';

const ESTABLISHED_WITHIN_MS = 30_000;
const LOOK_AGAIN_MS = 100;

export interface StagesResult {
  outcomes: ObjectOutcome[];
  live: Map<string, LiveObject>;
  failed: boolean;
}

/** Applies stage after stage. A failing object does not hold up the others, but a definition that fails ends the attempt. */
export async function applyStages(effects: ClusterEffects, claimant: Claimant, stages: readonly Stage[]): Promise<StagesResult> {
  const result: StagesResult = { outcomes: [], live: new Map(), failed: false };
  for (const stage of stages) {
    const actions = stage.actions.filter((action) => action.do === 'apply');
    for (const applied of await forEach(effects, actions, (action) => applyClaimed(effects, claimant, action))) {
      const { object, because } = applied.item;
      if ('error' in applied) {
        result.failed = true;
        result.outcomes.push(objectOutcome(object.ref, { action: 'failed', because, message: applied.error.message }));
        continue;
      }
      const { live, because: reason } = applied.value;
      result.live.set(object.key, live);
      result.outcomes.push(objectOutcome(object.ref, { action: ACTION[reason], because: reason }));
    }
    if (stage.name !== 'definitions') continue;
    if (result.failed) return result;
    for (const { object } of actions) {
      if (object.ref.kind !== 'CustomResourceDefinition' || (await established(effects, object))) continue;
      result.failed = true;
      result.outcomes.push(objectOutcome(object.ref, { action: 'failed', message: MESSAGES.notEstablished(ESTABLISHED_WITHIN_MS / 1000) }));
    }
  }
  return result;
}

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
