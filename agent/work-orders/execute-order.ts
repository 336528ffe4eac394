import type { ClaimedWorkOrder } from '../../lib/fleet/protocol/work-order-protocol.ts';
import { YamlError } from '../../lib/fleet/protocol/yaml-rules.ts';
import type { Log } from '../../lib/platform/log.ts';
import { ClusterError, type Manifest } from '../cluster/cluster.ts';
import { MESSAGES } from '../operator-messages.ts';
import { ManifestError, parseManifests } from '../reconcile/desired/manifests.ts';
import { withBuildRun } from './build-order.ts';
import type { HeldLease } from './lease.ts';
import { type OrderFacts, orderObjects } from './order-objects.ts';
import { failedOrder, type OrderResult, orderResult } from './order-result.ts';
import { applyOrder, cleanUp, type OrderEffects, type Progress, watchToEnd } from './run-objects.ts';

interface ExecuteOptions extends Omit<OrderEffects, 'signal'> {
  order: ClaimedWorkOrder;
  attempt: number;
  held: HeldLease;
  defaultNamespace: string;
  isReserved: OrderFacts['isReserved'];
  log: Log;
  /** Ends the clean-up when the agent stops. */
  stop: AbortSignal;
}

/** The types of work that this agent carries out, each with the objects that it applies. */
const WORK: Readonly<Record<string, (manifests: Manifest[]) => Manifest[]>> = { custom: (manifests) => manifests, build: withBuildRun };

/** An attempt leaves the last tenth of its time, at least a minute and at most half of it, to reporting (spec 7.6). */
export const budgetSecondsOf = (claimTimeoutSeconds: number): number =>
  Math.floor(Math.max(claimTimeoutSeconds / 2, claimTimeoutSeconds - Math.max(claimTimeoutSeconds / 10, 60)));

/**
 * Carries out an order, whose lease is held meanwhile. Returns undefined if the claim has ended: then nobody waits for a result. What a
 * cancelled order has running is deleted; what a lost claim has running is left to the next attempt.
 */
export async function executeOrder(options: ExecuteOptions): Promise<OrderResult | undefined> {
  const { order, held, log, stop, ...effects } = options;
  const progress: Progress = { begun: [], applied: [] };
  let result: OrderResult | undefined;
  try {
    result = await carryOut(options, progress);
  } catch (error) {
    if (!held.signal.aborted) result = failureOf(error);
  }
  const end = held.ended();
  if (end !== undefined && end !== 'cancelled') return undefined;
  try {
    const outcome = end === 'cancelled' ? 'cancelled' : result?.success ? 'succeeded' : 'failed';
    await cleanUp({ ...effects, signal: stop }, order.id, progress, outcome);
  } catch (error) {
    log.warn('work_order_not_cleaned_up', { work_order_id: order.id, error });
  }
  return end === undefined ? result : undefined;
}

async function carryOut(
  { order, attempt, held, defaultNamespace, isReserved, cluster, clock, random }: ExecuteOptions,
  progress: Progress,
): Promise<OrderResult> {
  const startedMs = clock.monotonicMs();
  const work = Object.hasOwn(WORK, order.work_type) ? WORK[order.work_type] : undefined;
  if (!work) return failedOrder(MESSAGES.unknownWorkType(order.work_type));
  const budgetSeconds = budgetSecondsOf(order.claim_timeout_seconds);
  const effects = { cluster, clock, random, signal: held.signal };
  const facts = { id: order.id, attempt, budgetSeconds, defaultNamespace, isReserved };
  const objects = await orderObjects(cluster, work(await parseManifests(order.yaml_content)), facts, held.signal);
  if (objects.length === 0) return failedOrder(MESSAGES.emptyOrder());
  await applyOrder(effects, order.id, objects, progress);
  const { applied } = progress;
  const jobs = await watchToEnd(effects, applied, startedMs + budgetSeconds * 1_000);
  return orderResult(jobs, { applied: applied.length, attempt, durationMs: clock.monotonicMs() - startedMs });
}

/** What the order itself is wrong about is final. What the cluster may do better another time is tried again. */
function failureOf(error: unknown): OrderResult {
  if (error instanceof ManifestError || error instanceof YamlError) return failedOrder(error.message);
  if (error instanceof ClusterError) return failedOrder(error.message, { retryable: error.retryable });
  return failedOrder(MESSAGES.unforeseen(), { retryable: true });
}
