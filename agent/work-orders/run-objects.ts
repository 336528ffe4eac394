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
const SERVED_WITHIN_MS = 30_000;
/** Discovery is read afresh once a second at most. */
const LOOK_AGAIN_MS = 1_000;

/** An object that this order has in the cluster. */
export interface Applied {
  object: OrderObject;
  live: LiveObject;
}

/** How far an attempt got. What was begun may be in the cluster, though no answer said so. */
export interface Progress {
  begun: OrderObject[];
  applied: Applied[];
}

/**
 * Applies an order's objects one after another, in the order of the YAML. An object of a stack is refused. Fields that others own are not taken
 * over. A Job of an earlier attempt takes the place of a new one, so that nothing runs twice.
 * `progress` tells at any time how far it got.
 */
export async function applyOrder(
  effects: OrderEffects,
  orderId: string,
  objects: readonly OrderObject[],
  progress: Progress,
): Promise<void> {
  for (const object of objects) {
    progress.begun.push(object);
    const earlier = await earlierRun(effects, orderId, object);
    progress.applied.push(earlier ? { object: { ...object, ref: refOf(earlier) }, live: earlier } : await applyOne(effects, object));
  }
}

async function applyOne(effects: OrderEffects, object: OrderObject): Promise<Applied> {
  const { cluster, signal } = effects;
  const { ref } = object;
  await served(effects, ref);
  const there = await call(effects, () => cluster.find(ref, signal));
  const { [OWNER_KEY]: owner, [STACK_KEY]: stack } = there?.metadata.labels ?? {};
  if (owner !== undefined || stack !== undefined)
    throw new ManifestError(`${objectText(ref)}: ${MESSAGES.belongsToStack(stack ?? 'of another agent')}`);
  const own = there && there.metadata.labels?.[ORDER_LABEL] === undefined ? notOfOrders(object) : object;
  const live = await call(effects, () => cluster.apply(own.manifest, { fieldManager: ORDER_MANAGER, force: false, signal }));
  return { object: { ...own, ref: refOf(live) }, live };
}

/** A kind that the order itself defines is served some moments after its definition was applied. */
async function served({ cluster, clock, signal }: OrderEffects, { apiVersion, kind }: OrderObject['ref']): Promise<void> {
  const deadline = clock.monotonicMs() + SERVED_WITHIN_MS;
  while (!(await cluster.findKind(apiVersion, kind, { fresh: false, signal }))) {
    if (clock.monotonicMs() >= deadline) throw new ManifestError(MESSAGES.noSuchKind(`${apiVersion} ${kind}`));
    await clock.sleep(LOOK_AGAIN_MS, signal);
  }
}

/** What was there before any order: it stays, and gets no label by which a later attempt would take it for an order's. */
function notOfOrders(object: OrderObject): OrderObject {
  const { [ORDER_LABEL]: _order, ...labels } = object.manifest.metadata.labels ?? {};
  return { ...object, cleanup: 'never', manifest: { ...object.manifest, metadata: { ...object.manifest.metadata, labels } } };
}

/** The Job of an earlier attempt: of several the one that has succeeded, else one that runs, else one that has failed. A Job is never run again. */
async function earlierRun(effects: OrderEffects, orderId: string, object: OrderObject): Promise<LiveObject | undefined> {
  const earlier = await runsOf(effects, orderId, object);
  const isRunning = (live: LiveObject) => endOf(live) === undefined;
  return earlier.find((live) => endOf(live)?.outcome === 'succeeded') ?? earlier.find(isRunning) ?? earlier[0];
}

/** The Jobs and BuildRuns that all attempts have made of an object of the YAML. */
async function runsOf(effects: OrderEffects, orderId: string, { ref, watched }: OrderObject): Promise<LiveObject[]> {
  if (!watched) return [];
  const { cluster, signal } = effects;
  const labelSelector = `${ORDER_LABEL}=${orderId},${JOB_LABEL}=${jobLabelOf(watched.job)}`;
  const where = { labelSelector, signal, ...(ref.namespace !== undefined && { namespace: ref.namespace }) };
  return (await call(effects, () => cluster.list(ref, where))).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

const call = <T>({ clock, random, signal }: OrderEffects, run: () => Promise<T>): Promise<T> =>
  retrying({ clock, random, stop: signal }, run);

/**
 * Waits until every Job and BuildRun has ended, or until the time is over. Each round looks at all of them: one that has ended may be gone
 * before the others end.
 */
export async function watchToEnd(effects: OrderEffects, applied: readonly Applied[], deadlineMs: number): Promise<JobOutcome[]> {
  const { cluster, clock, signal } = effects;
  const watched = applied.filter(({ object }) => object.watched);
  const outcomes = new Map<Applied, JobOutcome>();
  for (let known = true; ; known = false) {
    const isLast = clock.monotonicMs() >= deadlineMs;
    const open = watched.filter((one) => !outcomes.has(one));
    await inParallel(open, WATCHED_AT_ONCE, async (one) => {
      const live = known ? one.live : await call(effects, () => cluster.find(one.object.ref, signal));
      const outcome = await outcomeOf(effects, one, live, isLast);
      if (outcome) outcomes.set(one, outcome);
    });
    if (outcomes.size === watched.length) return watched.flatMap((one) => outcomes.get(one) ?? []);
    await clock.sleep(Math.min(WATCH_MS, Math.max(0, deadlineMs - clock.monotonicMs())), signal);
  }
}

/** How a Job or BuildRun ended; undefined while it runs and has time left. */
async function outcomeOf(
  { cluster, signal }: OrderEffects,
  { object: { ref, watched } }: Applied,
  live: LiveObject | undefined,
  isLast: boolean,
): Promise<JobOutcome | undefined> {
  const about = { kind: watched?.kind ?? 'Job', namespace: ref.namespace ?? '', name: ref.name };
  if (!live) return { ...about, outcome: 'stopped', reason: 'Deleted', message: MESSAGES.jobDeleted() };
  const end = endOf(live);
  if (end && (end.outcome === 'succeeded' || about.kind === 'BuildRun')) return { ...about, ...end };
  if (end) return { ...about, ...end, ...(await podLogTail(cluster, about, signal)) };
  return isLast ? { ...about, outcome: 'timed_out', reason: 'OutOfTime', message: MESSAGES.jobOutOfTime() } : undefined;
}

/**
 * Deletes what an order created, as its objects ask, and all Jobs of a cancelled order: also one whose creation was never answered. One
 * that can't be deleted holds up no other.
 */
export async function cleanUp(
  effects: OrderEffects,
  orderId: string,
  { begun, applied }: Progress,
  end: 'succeeded' | 'failed' | 'cancelled',
): Promise<void> {
  const asked = applied.filter(({ object: { cleanup } }) => cleanup === 'always' || (cleanup === 'on-success' && end === 'succeeded'));
  const failures: unknown[] = [];
  const deleteOne = (live: LiveObject) =>
    call(effects, () => effects.cluster.delete(refOf(live), { uid: live.metadata.uid, signal: effects.signal })).catch(
      (error: unknown) => void failures.push(error),
    );
  for (const { live } of asked.toReversed()) await deleteOne(live);
  const runs = (object: OrderObject) =>
    runsOf(effects, orderId, object).catch((error: unknown) => {
      failures.push(error);
      return [];
    });
  if (end === 'cancelled') for (const object of begun) for (const live of await runs(object)) await deleteOne(live);
  if (failures.length > 0) throw failures[0];
}
