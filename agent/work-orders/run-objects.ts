import type { JobOutcome } from '../../lib/fleet/protocol/work-order-protocol.ts';
import type { Clock } from '../../lib/platform/clock.ts';
import type { Cluster, LiveObject } from '../cluster/cluster.ts';
import { inParallel } from '../in-parallel.ts';
import { MESSAGES } from '../operator-messages.ts';
import { ManifestError } from '../reconcile/desired/manifests.ts';
import { objectText, refOf } from '../reconcile/desired/object-key.ts';
import { OWNER_KEY, STACK_KEY } from '../reconcile/desired/ownership.ts';
import { retrying } from '../reconcile/effects/cluster-effects.ts';
import { endOf } from './job-outcome.ts';
import { JOB_LABEL, jobLabelOf, ORDER_LABEL, type OrderObject } from './order-objects.ts';
import { podLogTail } from './pod-log-tail.ts';

export interface OrderEffects {
  cluster: Cluster;
  clock: Clock;
  random: () => number;
  /** Aborted when the work on the order has to stop. */
  signal: AbortSignal;
}

const ORDER_MANAGER = 'brokkr-work-order';
const WATCH_MS = 3_000;
const WATCHED_AT_ONCE = 20;

/** An object that this order has in the cluster. */
export interface Applied {
  object: OrderObject;
  live: LiveObject;
}

/**
 * Applies an order's objects one after another, in the order of the YAML. An object of a stack is refused. Fields that others own are not taken
 * over. A Job of an earlier attempt that still runs, or that has succeeded, takes the place of a new one, so that nothing runs twice.
 * `onApplied` learns of each object before the next one.
 */
export async function applyOrder(
  effects: OrderEffects,
  orderId: string,
  objects: readonly OrderObject[],
  onApplied: (applied: Applied) => void,
): Promise<Applied[]> {
  const applied: Applied[] = [];
  for (const object of objects) {
    const live = (await earlierRun(effects, orderId, object)) ?? (await applyOne(effects, object));
    const one = { object: { ...object, ref: refOf(live) }, live };
    applied.push(one);
    onApplied(one);
  }
  return applied;
}

async function applyOne(effects: OrderEffects, { ref, manifest }: OrderObject): Promise<LiveObject> {
  const { cluster, signal } = effects;
  const there = await call(effects, () => cluster.find(ref, signal));
  const { [OWNER_KEY]: owner, [STACK_KEY]: stack } = there?.metadata.labels ?? {};
  if (owner !== undefined || stack !== undefined)
    throw new ManifestError(`${objectText(ref)}: ${MESSAGES.belongsToStack(stack ?? 'of another agent')}`);
  return call(effects, () => cluster.apply(manifest, { fieldManager: ORDER_MANAGER, force: false, signal }));
}

/** The Job of an earlier attempt that runs or has succeeded. Of several the one that has succeeded. */
async function earlierRun(effects: OrderEffects, orderId: string, { ref, watched }: OrderObject): Promise<LiveObject | undefined> {
  if (!watched) return undefined;
  const { cluster, signal } = effects;
  const labelSelector = `${ORDER_LABEL}=${orderId},${JOB_LABEL}=${jobLabelOf(watched.job)}`;
  const where = { labelSelector, signal, ...(ref.namespace !== undefined && { namespace: ref.namespace }) };
  const earlier = (await call(effects, () => cluster.list(ref, where))).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  return earlier.find((live) => endOf(live)?.outcome === 'succeeded') ?? earlier.find((live) => endOf(live) === undefined);
}

const call = <T>({ clock, random, signal }: OrderEffects, run: () => Promise<T>): Promise<T> =>
  retrying({ clock, random, stop: signal }, run);

/** Waits until every Job and BuildRun has ended, or until the time is over. */
export async function watchToEnd(effects: OrderEffects, applied: readonly Applied[], deadlineMs: number): Promise<JobOutcome[]> {
  const watched = applied.filter(({ object }) => object.watched);
  return inParallel(watched, WATCHED_AT_ONCE, (one) => watchOne(effects, one, deadlineMs));
}

async function watchOne(effects: OrderEffects, { object, live }: Applied, deadlineMs: number): Promise<JobOutcome> {
  const { cluster, clock, signal } = effects;
  const { ref, watched } = object;
  const about = { kind: watched?.kind ?? 'Job', namespace: ref.namespace ?? '', name: ref.name };
  for (let current: LiveObject | undefined = live; ; ) {
    if (!current) return { ...about, outcome: 'stopped', reason: 'Deleted', message: MESSAGES.jobDeleted() };
    const end = endOf(current);
    if (end && (end.outcome === 'succeeded' || about.kind === 'BuildRun')) return { ...about, ...end };
    if (end) return { ...about, ...end, ...(await podLogTail(cluster, about, signal)) };
    if (clock.monotonicMs() >= deadlineMs) return { ...about, outcome: 'timed_out', reason: 'OutOfTime', message: MESSAGES.jobOutOfTime() };
    await clock.sleep(Math.min(WATCH_MS, Math.max(0, deadlineMs - clock.monotonicMs())), signal);
    current = await call(effects, () => cluster.find(ref, signal));
  }
}

/** Deletes what an order created, as its objects ask. A Job that still runs is stopped by that if the order was cancelled. */
export async function cleanUp(
  effects: OrderEffects,
  applied: readonly Applied[],
  end: 'succeeded' | 'failed' | 'cancelled',
): Promise<void> {
  const goes = ({ object: { cleanup, watched } }: Applied) =>
    cleanup === 'always' || (cleanup === 'on-success' && end === 'succeeded') || (end === 'cancelled' && watched !== undefined);
  for (const { object, live } of applied.filter(goes).toReversed())
    await call(effects, () => effects.cluster.delete(object.ref, { uid: live.metadata.uid, signal: effects.signal }));
}
