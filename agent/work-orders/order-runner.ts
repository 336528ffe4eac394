import type { WorkOrder } from '../../lib/fleet/protocol/work-order-protocol.ts';
import { backoffMs, jitteredMs } from '../../lib/platform/backoff.ts';
import type { Clock } from '../../lib/platform/clock.ts';
import type { Log } from '../../lib/platform/log.ts';
import type { AgentMetrics } from '../agent-metrics.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { ControlPlaneError, type WorkOrdersPort } from '../control-plane/control-plane.ts';
import { executeOrder } from './execute-order.ts';
import { type HeldLease, holdLease } from './lease.ts';
import type { OrderFacts } from './order-objects.ts';
import type { OrderResult } from './order-result.ts';

/** Finds work orders and carries them out beside the agent's main loop, some at once. */
export interface OrderRunner {
  /** Looks for orders if there may be new ones and a place is free. Returns at once. */
  look(): void;
  /** Resolves when no look is under way and no order is worked on. */
  settled(): Promise<void>;
  /** Ends with the agent's signal. Jobs go on in the cluster; the next attempt finds them. */
  stop(): Promise<void>;
}

interface OrderRunnerOptions {
  agentId: string;
  controlPlane: WorkOrdersPort;
  cluster: Cluster;
  /** Whether the agent is ACTIVE. */
  isActive: () => boolean;
  parallelism: number;
  leaseSeconds: number;
  defaultNamespace: string;
  isReserved: OrderFacts['isReserved'];
  metrics: AgentMetrics;
  clock: Clock;
  random: () => number;
  log: Log;
  stop: AbortSignal;
}

/** Against a nudge that got lost. */
const UNASKED_MS = 10 * 60_000;
/** After so many claims that others were faster with, the next poll comes first. */
const LOST_RACES_MAX = 3;
const REPORT_RETRY = { baseMs: 500, capMs: 15_000 };

/** Whether the server has refused a result for its contents: then the same one is refused each time. */
const isInvalid = (error: unknown): boolean => error instanceof ControlPlaneError && [400, 413, 422].includes(error.status);

export function createOrderRunner(options: OrderRunnerOptions): OrderRunner {
  const { agentId, controlPlane, isActive, parallelism, leaseSeconds, metrics, clock, random, log, stop } = options;
  const running = new Map<string, Promise<void>>();
  let looking: Promise<void> | undefined;
  let handled: string | undefined;
  let moreMayWait = true;
  let unaskedAtMs = 0;

  /** A server that says nothing of orders has to be asked at each poll. */
  const isDue = (): boolean => {
    const mark = controlPlane.workOrdersMark();
    return mark === undefined || mark !== handled || moreMayWait || clock.monotonicMs() >= unaskedAtMs;
  };

  function look(): void {
    if (looking || stop.aborted || !isActive() || running.size >= parallelism || !isDue()) return;
    looking = find()
      .catch((error: unknown) => {
        if (!stop.aborted) log.warn('work_orders_not_found', { error });
      })
      .finally(() => {
        looking = undefined;
      });
  }

  async function find(): Promise<void> {
    const mark = controlPlane.workOrdersMark();
    const limit = parallelism - running.size + LOST_RACES_MAX;
    const pending = await controlPlane.pendingWorkOrders(agentId, limit, stop);
    // One whose last attempt here is not over yet waits for that.
    const waiting = pending.filter(({ id }) => !running.has(id));
    handled = mark;
    moreMayWait = pending.length > 0;
    unaskedAtMs = clock.monotonicMs() + jitteredMs(UNASKED_MS, 0.2, random);
    for (let lost = 0; waiting.length > 0 && running.size < parallelism && lost < LOST_RACES_MAX; ) {
      // The list begins with what is offered to this agent. After a lost race others are at the same orders, so that chance is better.
      const [order] = waiting.splice(lost === 0 ? 0 : Math.floor(random() * waiting.length), 1);
      if (order && !(await tryToTake(order))) lost += 1;
    }
  }

  /** A claim that fails, for whatever reason, must not hold up the orders behind it. */
  async function tryToTake(order: WorkOrder): Promise<boolean> {
    try {
      return await take(order);
    } catch (error) {
      stop.throwIfAborted();
      log.warn('work_order_not_claimed', { work_order_id: order.id, error });
      return false;
    }
  }

  async function take({ id }: WorkOrder): Promise<boolean> {
    const askedAtMs = clock.monotonicMs();
    const order = await controlPlane.claimWorkOrder(agentId, id, leaseSeconds, stop);
    if (order === 'taken') {
      metrics.workOrder('taken');
      return false;
    }
    // A server without leases: the claim holds for the order's whole time.
    const lease = order.lease ?? { attempt: order.retry_count + 1, seconds: order.claim_timeout_seconds };
    const held = holdLease({ controlPlane, orderId: id, lease, askedAtMs, clock, random, log, stop });
    const work = (async () => {
      const result = await executeOrder({ ...options, order, attempt: lease.attempt, held });
      if (result) await report(id, held, { ...result, ...(order.lease && { token: order.lease.token }) });
      else metrics.workOrder(held.ended() === 'cancelled' ? 'cancelled' : 'lost');
    })()
      .catch((error: unknown) => log.error('work_order_failed_unexpectedly', { work_order_id: id, error }))
      .finally(() => {
        held.release();
        running.delete(id);
        look();
      });
    running.set(id, work);
    return true;
  }

  /** Sends the result until it is answered, or until the claim is over. One that is refused is sent once more without its details. */
  async function report(id: string, held: HeldLease, result: OrderResult & { token?: string }): Promise<void> {
    let { details } = result;
    for (let attempt = 0; held.ended() === undefined; attempt++) {
      try {
        const answer = await controlPlane.completeWorkOrder(id, { ...result, details }, held.signal);
        metrics.workOrder(answer === 'void' ? 'lost' : result.success ? 'succeeded' : 'failed');
        log.info('work_order_done', { work_order_id: id, success: result.success, answer });
        return;
      } catch (error) {
        if (held.signal.aborted) break;
        log.warn('work_order_not_reported', { work_order_id: id, error });
        if (isInvalid(error)) {
          if (!details) break;
          details = undefined;
        }
        await clock.sleep(200 + backoffMs(attempt, REPORT_RETRY, random), held.signal).catch(() => {});
      }
    }
    metrics.workOrder('lost');
  }

  async function settled(): Promise<void> {
    while (looking || running.size > 0) await Promise.all([looking, ...running.values()]);
  }
  return { look, settled, stop: settled };
}
