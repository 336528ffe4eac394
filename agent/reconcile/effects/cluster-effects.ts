import { backoffMs } from '../../../lib/platform/backoff.ts';
import type { Clock } from '../../../lib/platform/clock.ts';
import { type Cluster, ClusterError, type LiveObject, type ObjectRef } from '../../cluster/cluster.ts';
import { inParallel } from '../../in-parallel.ts';
import type { Desired } from '../desired/desired.ts';
import { FIELD_MANAGER, MARKS, USER_ANNOTATION } from '../desired/ownership.ts';

/** The ports that changing a cluster needs. `stop` ends the work between two objects, never within one. */
export interface ClusterEffects {
  cluster: Cluster;
  clock: Clock;
  random: () => number;
  stop: AbortSignal;
  forceConflicts: boolean;
  parallelism: number;
}

export type Result<T, R> = { item: T } & Attempt<R>;

const ATTEMPTS = 4;
const SLOW_MS = 5_000;
const BACKOFF = { baseMs: 200, capMs: 5_000 };
const RETRY_AFTER_MAX_MS = 30_000;

/**
 * Tries again what may succeed by itself, a few times, waiting as long as the server asks or a jittered while. What took long to fail
 * gives way at once: others may wait for its place.
 */
export async function retrying<T>(
  { clock, random, stop }: Pick<ClusterEffects, 'clock' | 'random' | 'stop'>,
  call: () => Promise<T>,
  mayRetry = (error: ClusterError): boolean => error.retryable,
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    stop.throwIfAborted();
    const startedMs = clock.monotonicMs();
    try {
      return await call();
    } catch (error) {
      const slow = clock.monotonicMs() - startedMs >= SLOW_MS;
      if (!(error instanceof ClusterError && mayRetry(error)) || slow || attempt >= ATTEMPTS - 1) throw error;
      const asked = Math.min(error.retryAfterMs ?? 0, RETRY_AFTER_MAX_MS);
      await clock.sleep(asked + backoffMs(attempt, BACKOFF, random), stop);
    }
  }
}

const SETTLES_WITHIN_MS = 10_000;
const SETTLING_LOOKS_MS = { first: 100, longest: 1_000 };

/**
 * What was just applied takes its controllers a moment: a quota's new limits, the account of a new Namespace, a policy. `goesOn` waits a little
 * more each time, and says no when that should have been enough.
 */
export function settlingTime({ clock, stop }: Pick<ClusterEffects, 'clock' | 'stop'>): { goesOn(): Promise<boolean> } {
  const deadline = clock.monotonicMs() + SETTLES_WITHIN_MS;
  let waitMs = SETTLING_LOOKS_MS.first;
  return {
    async goesOn() {
      if (clock.monotonicMs() >= deadline) return false;
      await clock.sleep(waitMs, stop);
      waitMs = Math.min(2 * waitMs, SETTLING_LOOKS_MS.longest);
      return true;
    },
  };
}

/** One call for each item, many at once; one that fails does not hold up the others, unless the API server can't be reached at all. */
export function forEach<T, R>(effects: ClusterEffects, items: readonly T[], call: (item: T) => Promise<R>): Promise<Result<T, R>[]> {
  const attempt = whileReachable(effects);
  return inParallel(items, effects.parallelism, async (item): Promise<Result<T, R>> => ({ item, ...(await attempt(() => call(item))) }));
}

/** The API server's answer to applying objects, without applying them. */
export const dryRunAll = (effects: ClusterEffects, objects: readonly Desired[]): Promise<Result<Desired, LiveObject>[]> =>
  forEach(effects, objects, (object) => effects.cluster.apply(object.manifest, { ...applyOptions(effects, object), dryRun: true }));

/** Deletes exactly the objects that were looked at: one of the same name created since stays. */
export const deleteAll = <T extends { ref: ObjectRef; uid: string }>(effects: ClusterEffects, targets: readonly T[]) =>
  forEach(effects, targets, ({ ref, uid }) => effects.cluster.delete(ref, { uid }));

/** Takes our marks off exactly the objects that were looked at. */
export const disownAll = <T extends { ref: ObjectRef; uid: string }>(effects: ClusterEffects, targets: readonly T[]) =>
  forEach(effects, targets, ({ ref, uid }) => effects.cluster.disown(ref, { uid, ...MARKS, fieldManager: FIELD_MANAGER }));

type Attempt<T> = { value: T } | { error: Error };

/** Once the API server is not reached in spite of all retries, the remaining calls of the batch fail without being made. */
function whileReachable(effects: ClusterEffects): <T>(call: () => Promise<T>) => Promise<Attempt<T>> {
  let lost: ClusterError | undefined;
  return async (call) => {
    if (lost) return { error: lost };
    try {
      return { value: await retrying(effects, call) };
    } catch (error) {
      effects.stop.throwIfAborted();
      if (!(error instanceof ClusterError)) throw error;
      if (error.status === 0) lost = error;
      return { error };
    }
  };
}

export function applyOptions({ forceConflicts }: Pick<ClusterEffects, 'forceConflicts'>, { manifest }: Pick<Desired, 'manifest'>) {
  const asked = manifest.metadata.annotations?.[USER_ANNOTATION.forceConflicts];
  return { fieldManager: FIELD_MANAGER, force: asked === undefined ? forceConflicts : asked === 'true' };
}
