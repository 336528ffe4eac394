import type { WorkOrderLease } from '../../lib/fleet/protocol/work-order-protocol.ts';
import { backoffMs } from '../../lib/platform/backoff.ts';
import type { Clock } from '../../lib/platform/clock.ts';
import type { Log } from '../../lib/platform/log.ts';
import type { WorkOrdersPort } from '../control-plane/control-plane.ts';

/** `cancelled`: the order is gone · `lost`: the claim is over · `over`: its time has passed without a renewal · `stopping`: the agent ends. */
export type LeaseEnd = 'cancelled' | 'lost' | 'over' | 'stopping';

/** A claim that is kept alive while its order is worked on. */
export interface HeldLease {
  /** Aborted as soon as the work has to stop. */
  signal: AbortSignal;
  /** Why it was aborted; undefined while the claim holds. */
  ended(): LeaseEnd | undefined;
  /** The work has ended: nothing is renewed any more. */
  release(): void;
}

interface HoldOptions {
  controlPlane: WorkOrdersPort;
  orderId: string;
  /** Without a token it can't be renewed, and holds for its seconds. */
  lease: Pick<WorkOrderLease, 'seconds'> & { token?: string };
  /** When the claim was asked for, by the monotonic clock: the lease began later than this. */
  askedAtMs: number;
  clock: Clock;
  random: () => number;
  log: Log;
  stop: AbortSignal;
}

const RETRY = { baseMs: 1_000, capMs: 10_000 };
/** A timer can't run for more than 24 days, and a server without leases may give an order more. */
const SLEEP_MAX_MS = 24 * 3_600_000;

/**
 * Renews a lease at a third of its time. It goes by the seconds that the server gave and by this process's monotonic clock, which no clock
 * that is off can mislead. Without an answer the work goes on until the lease is over.
 */
export function holdLease({ controlPlane, orderId, lease, askedAtMs, clock, random, log, stop }: HoldOptions): HeldLease {
  const held = new AbortController();
  const released = new AbortController();
  const either = AbortSignal.any([held.signal, released.signal]);
  let end: LeaseEnd | undefined;
  const finish = (why: LeaseEnd) => {
    if (end !== undefined || released.signal.aborted) return;
    end = why;
    held.abort(new Error(`the claim on the work order has ended: ${why}`));
  };
  const onStop = () => finish('stopping');
  if (stop.aborted) onStop();
  stop.addEventListener('abort', onStop, { once: true });

  async function keep(): Promise<void> {
    let deadlineMs = askedAtMs + lease.seconds * 1_000;
    let renewAtMs = lease.token === undefined ? Number.POSITIVE_INFINITY : askedAtMs + (lease.seconds * 1_000) / 3;
    for (let failures = 0; !either.aborted; ) {
      await clock.sleep(Math.max(0, Math.min(renewAtMs, deadlineMs, clock.monotonicMs() + SLEEP_MAX_MS) - clock.monotonicMs()), either);
      const nowMs = clock.monotonicMs();
      if (nowMs >= deadlineMs) return finish('over');
      if (lease.token === undefined || nowMs < renewAtMs) continue;
      const asking = new AbortController();
      const signal = AbortSignal.any([either, asking.signal]);
      try {
        const over = clock.sleep(deadlineMs - nowMs, signal).then(() => 'over' as const);
        const answer = await Promise.race([controlPlane.renewWorkOrder(orderId, lease.token, signal), over]);
        if (typeof answer === 'string') return finish(answer);
        deadlineMs = nowMs + answer.seconds * 1_000;
        renewAtMs = nowMs + Math.max(1_000, (answer.seconds * 1_000) / 3);
        failures = 0;
      } catch (error) {
        if (either.aborted) return;
        log.warn('work_order_not_renewed', { work_order_id: orderId, error });
        renewAtMs = clock.monotonicMs() + 500 + backoffMs(failures++, RETRY, random);
      } finally {
        asking.abort(new Error('the renewal is done'));
      }
    }
  }
  // The only rejection is a sleep that was ended on purpose.
  void keep().catch(() => {});
  return {
    signal: held.signal,
    ended: () => end,
    release() {
      stop.removeEventListener('abort', onStop);
      released.abort(new Error('the work order is done'));
    },
  };
}
