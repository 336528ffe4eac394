import type { LiveObject } from '../../cluster/cluster.ts';
import { MESSAGES } from '../../operator-messages.ts';
import type { Desired } from '../desired/desired.ts';
import { type DriftMode, FIELD_MANAGER, markAdopted, parseDriftMode, USER_ANNOTATION } from '../desired/ownership.ts';
import { type ClusterEffects, dryRunAll, forEach, type Result } from '../effects/cluster-effects.ts';
import type { Refusal } from '../effects/refusals.ts';
import { type Addition, addedFields, otherManagerOf } from '../plan/added-fields.ts';
import { difference, pathText } from './object-difference.ts';

/** How an object differs from what its stack says. */
export interface Drift {
  object: Desired;
  uid: string;
  /** The first field that an apply would change, and who owns it now. */
  changed?: { path: readonly string[]; by: string | undefined };
  added: readonly Addition[];
}

/** What the object says in the YAML goes before what it says in the cluster, and both before what its stack says. */
export const driftModeOf = ({ manifest }: Desired, live: LiveObject | undefined, ofStack: DriftMode): DriftMode =>
  [manifest, live].map((object) => parseDriftMode(object?.metadata.annotations?.[USER_ANNOTATION.drift])).find((mode) => mode) ?? ofStack;

/**
 * Asks the API server what an apply would make of each suspect: defaults and other managers' fields are then no difference. What `moved` between
 * the look and the answer can't be compared, and is looked at again next time.
 */
export async function driftOf(
  effects: ClusterEffects,
  suspects: readonly Desired[],
  live: ReadonlyMap<string, LiveObject>,
  adopted: ReadonlySet<string>,
): Promise<{ drifts: Map<string, Drift>; unknown: Map<string, Refusal>; moved: Set<string> }> {
  const drifts = new Map<string, Drift>();
  const unknown = new Map<string, Refusal>();
  const moved = new Set<string>();
  for (const result of await dryRunAll(effects, suspects.map(asApplied(adopted)))) {
    const { item: object } = result;
    const existing = live.get(object.key);
    if ('error' in result) unknown.set(object.key, { object, error: result.error });
    else if (existing?.metadata.resourceVersion !== result.value.metadata.resourceVersion) moved.add(object.key);
    else if (existing) {
      const { apiVersion, kind } = object.ref;
      const path = difference({ ...existing, apiVersion, kind }, result.value);
      const added = addedFields(existing, object, adopted.has(object.key));
      const changed = path && { path, by: otherManagerOf(existing, path) };
      if (changed || added.length > 0) drifts.set(object.key, { object, uid: existing.metadata.uid, added, ...(changed && { changed }) });
    }
  }
  return { drifts, unknown, moved };
}

/** Adopted objects are applied with their mark. */
const asApplied =
  (adopted: ReadonlySet<string>) =>
  (object: Desired): Desired =>
    adopted.has(object.key) ? { ...object, manifest: markAdopted(object.manifest) } : object;

/** Whether a correction would change anything: what is not known to be added by hand stays. */
export const isCorrectable = ({ changed, added }: Drift): boolean => changed !== undefined || added.some(({ byHand }) => byHand);

/** Makes what was added by hand this agent's own, so that the apply which follows takes it away. */
export function takeAdditions(effects: ClusterEffects, drifts: readonly Drift[]): Promise<Result<Drift, void>[]> {
  const { cluster, stop } = effects;
  return forEach(
    effects,
    drifts.filter(({ added }) => added.some(({ byHand }) => byHand)),
    async ({ object: { ref }, uid, added }) => {
      for (const { manager, byHand, fields } of added)
        if (byHand) await cluster.takeFields(ref, { uid, from: [manager], fields, fieldManager: FIELD_MANAGER, signal: stop });
    },
  );
}

/** `spec.replicas had been changed by autoscaler; data.size had been added by kubectl-edit` */
export function driftMessage({ changed, added }: Drift, only: (addition: Addition) => boolean = () => true): string {
  return [
    ...(changed ? [MESSAGES.fieldChanged(pathText(changed.path), changed.by)] : []),
    ...added.filter(only).map(({ paths, manager }) => MESSAGES.fieldsAdded(paths.map(pathText), manager)),
  ].join('; ');
}
