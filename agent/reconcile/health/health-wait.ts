import type { LiveObject } from '../../cluster/cluster.ts';
import { MESSAGES } from '../../operator-messages.ts';
import type { Desired } from '../desired/desired.ts';
import { objectKey } from '../desired/object-key.ts';
import { countsText, type Outcome, objectOutcome } from '../effects/outcome.ts';
import type { ObjectHealth } from './object-health.ts';
import { healthOf, isLeaving } from './stack-health.ts';
import type { BindingModes } from './volume-binding.ts';

/** An object that is not healthy yet. `leaving`: it was being deleted when it was last seen. */
export type Pending = Pick<Desired, 'key' | 'ref' | 'hasStatus'> & { leaving?: boolean /** It is done when it is gone. */; goes?: boolean };

/** A stack that was applied and is not all healthy yet. */
export interface HealthWait {
  deploymentObjectId: string;
  startedMs: number;
  deadlineMs: number;
  lookAtMs: number;
  pending: readonly Pending[];
  /** The outcome of the apply. */
  outcome: Outcome;
}

export type HealthVerdict = { done: true; outcome: Outcome } | { done: false; pending: HealthWait['pending'] };

const DONE: ObjectHealth = { status: 'healthy' };
const FIRST_LOOK_MS = 250;
const LOOK_MS = 1_000;

/** Soon at first, since most is healthy at once; then each second. */
export const nextLookMs = (waitedMs: number): number => Math.min(LOOK_MS, Math.max(FIRST_LOOK_MS, waitedMs));

/** Decides from the live objects whether the wait is over, and how it ended. Pure. */
export function judgeHealth(
  wait: Pick<HealthWait, 'pending' | 'outcome' | 'startedMs' | 'deadlineMs'>,
  live: ReadonlyMap<string, LiveObject>,
  modes: BindingModes,
  nowMs: number,
): HealthVerdict {
  const looked = wait.pending.map((object) => {
    const found = live.get(object.key);
    return { object, health: object.goes && !found ? DONE : healthOf(object, found, modes) };
  });
  const failed = looked.filter(({ health }) => health.status === 'failed');
  const pending = looked.filter(({ health }) => health.status === 'progressing');
  const late = nowMs >= wait.deadlineMs;
  if (failed.length === 0 && pending.length > 0 && !late)
    return { done: false, pending: pending.map(({ object }) => ({ ...object, leaving: isLeaving(live.get(object.key)) })) };
  const health = new Map(looked.map(({ object, health: found }) => [object.key, found]));
  const objects = wait.outcome.objects.map((object) => ({ ...object, ...healthFields(health.get(keyOf(object))) }));
  const known = new Set(objects.map(keyOf));
  // A check that corrected nothing has outcomes for all; one that follows a restart may not.
  const rest = looked
    .filter(({ object }) => !known.has(object.key))
    .map(({ object, health: found }) => ({ ...objectOutcome(object.ref, { action: 'unchanged' }), ...healthFields(found) }));
  if (failed.length === 0 && pending.length === 0)
    return { done: true, outcome: { status: 'SUCCESS', summary: countsText(wait.outcome.objects), objects: [...objects, ...rest] } };
  const seconds = Math.round((wait.deadlineMs - wait.startedMs) / 1000);
  const summary = failed.length > 0 ? MESSAGES.unhealthy() : MESSAGES.lateHealth(seconds);
  return { done: true, outcome: { status: 'FAILURE', summary, objects: [...objects, ...rest] } };
}

const healthFields = (health: ObjectHealth | undefined) =>
  health ? { health: health.status, ...(health.status !== 'healthy' && health.message !== undefined && { message: health.message }) } : {};

function keyOf({ api_version: apiVersion, kind, namespace, name }: Outcome['objects'][number]): string {
  return objectKey({ apiVersion, kind, ...(namespace !== null && { namespace }), name });
}
