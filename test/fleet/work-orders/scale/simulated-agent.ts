import type { Services } from '../../../../functions/services.ts';
import type { Caller } from '../../../../lib/fleet/fleet-ports.ts';
import { agentKey, fleetTable } from '../../../../lib/fleet/fleet-table.ts';
import { claimWorkOrder, renewWorkOrder } from '../../../../lib/fleet/work-orders/claim-work-order.ts';
import { completeWorkOrder } from '../../../../lib/fleet/work-orders/complete-work-order.ts';
import { listPendingOrders } from '../../../../lib/fleet/work-orders/work-order-lists.ts';
import { AppError } from '../../../../lib/platform/errors.ts';

/** What the agents do, seen from outside and in true time. */
export interface Witness {
  attempts: number;
  wins: number;
  /** A claim with this token succeeded: its holder counts on the order until then, dead or alive. */
  holds(orderId: string, token: string, endMs: number): void;
  /** The lease goes on until then. */
  until(orderId: string, token: string, endMs: number): void;
  /** The holder counts on the order no more: its work is done, or the lease is over. */
  letsGo(orderId: string, token: string): void;
}

interface Held {
  token: string;
  /** When the work is done. */
  doneMs: number;
  /** When the lease is over, and when it is renewed. */
  endMs: number;
  renewMs: number;
  /** What is reported once the work is done. */
  result?: { success: boolean; message: string; token: string };
}

export interface SimulatedAgentOptions {
  id: string;
  /** A server for the next call. */
  server: () => Services;
  nowMs: () => number;
  random: () => number;
  witness: Witness;
  /** How long the work on an order takes. */
  workMs: { from: number; to: number };
}

const PARALLELISM = 4;
const LOST_RACES_MAX = 3;
const LEASE_SECONDS = 60;
const POLL_MS = 10_000;
const UNASKED_MS = 600_000;

/**
 * An agent that looks for orders, claims, renews and completes by the rules of agent/work-orders, in steps of virtual time. It knows no time of
 * day, only how much time has passed.
 */
export function simulatedAgent({ id, server, nowMs, random, witness, workMs }: SimulatedAgentOptions) {
  const caller: Caller = { principal: { type: 'agent', id, item: { ...agentKey(id), revision: '', status: 'ACTIVE' } } };
  const held = new Map<string, Held>();
  let pollAtMs = nowMs() + random() * POLL_MS;
  let mark: unknown;
  let handled: unknown;
  let moreMayWait = true;
  let unaskedAtMs = nowMs() + UNASKED_MS;
  let deadUntilMs = 0;

  /** Undefined if the store did not answer: the agent tries again at its next step. */
  const answered = async <T>(call: Promise<T>): Promise<T | AppError> =>
    call.catch((error: unknown) => {
      if (error instanceof AppError) return error;
      throw error;
    });
  const isUnavailable = (answer: unknown): boolean => answer instanceof AppError && answer.kind === 'unavailable';
  const letGo = (orderId: string, { token }: Held) => {
    held.delete(orderId);
    witness.letsGo(orderId, token);
  };

  async function look(): Promise<void> {
    const limit = PARALLELISM - held.size + LOST_RACES_MAX;
    const asked = mark;
    const page = await answered(listPendingOrders(server(), id, { limit }));
    if (page instanceof AppError) return;
    const waiting = page.items.map((order) => order.id).filter((orderId) => !held.has(orderId));
    handled = asked;
    moreMayWait = page.items.length > 0;
    unaskedAtMs = nowMs() + UNASKED_MS;
    for (let lost = 0; waiting.length > 0 && held.size < PARALLELISM && lost < LOST_RACES_MAX; ) {
      const [orderId = ''] = waiting.splice(lost === 0 ? 0 : Math.floor(random() * waiting.length), 1);
      if (!(await take(orderId))) lost += 1;
    }
  }

  async function take(orderId: string): Promise<boolean> {
    const askedAtMs = nowMs();
    witness.attempts += 1;
    const claimed = await answered(claimWorkOrder(server(), caller, orderId, { agent_id: id, lease_seconds: LEASE_SECONDS }));
    if (claimed instanceof AppError || !claimed.lease) return false;
    witness.wins += 1;
    const { token, seconds } = claimed.lease;
    const endMs = askedAtMs + seconds * 1_000;
    held.set(orderId, {
      token,
      doneMs: askedAtMs + workMs.from + random() * (workMs.to - workMs.from),
      endMs,
      renewMs: askedAtMs + (seconds * 1_000) / 3,
    });
    witness.holds(orderId, token, endMs);
    return true;
  }

  async function goOn(orderId: string, lease: Held): Promise<void> {
    if (nowMs() >= lease.endMs) return letGo(orderId, lease);
    if (nowMs() >= lease.doneMs) return report(orderId, lease);
    if (nowMs() < lease.renewMs) return;
    const renewed = await answered(renewWorkOrder(server(), caller, orderId, lease.token));
    if (isUnavailable(renewed)) return;
    if (renewed instanceof AppError) return letGo(orderId, lease);
    lease.endMs = nowMs() + renewed.seconds * 1_000;
    lease.renewMs = nowMs() + (renewed.seconds * 1_000) / 3;
    witness.until(orderId, lease.token, lease.endMs);
  }

  /** A report that gets no answer is sent again at the next step. Now and then one is sent twice, at once or one after the other. */
  async function report(orderId: string, lease: Held): Promise<void> {
    lease.result ??= { success: random() < 0.95, message: 'simulated', token: lease.token };
    const send = () => answered(completeWorkOrder(server(), caller, orderId, lease.result ?? { success: false }));
    witness.letsGo(orderId, lease.token);
    const answers = await Promise.all(random() < 0.03 ? [send(), send()] : [send()]);
    if (answers.every(isUnavailable)) return;
    letGo(orderId, lease);
    if (random() < 0.05) await send();
  }

  async function poll(): Promise<void> {
    pollAtMs += POLL_MS;
    const record = await server()
      .database.get(fleetTable.name, agentKey(id))
      .catch(() => undefined);
    mark = record?.orders_rev ?? mark;
  }

  return {
    id,
    /** What the agent does at this moment. */
    async step(): Promise<void> {
      if (nowMs() < deadUntilMs) return;
      const before = held.size;
      await Promise.all([...held].map(([orderId, lease]) => goOn(orderId, lease)));
      const isPoll = nowMs() >= pollAtMs;
      if (isPoll) await poll();
      const isDue = mark !== handled || moreMayWait || nowMs() >= unaskedAtMs;
      // A place that becomes free is used at once.
      if ((isPoll || held.size < before) && isDue && held.size < PARALLELISM) await look();
    },
    /** The process dies, and another one starts later. What it worked on goes on in the cluster, so that its leases still count. */
    die(forMs: number): void {
      held.clear();
      deadUntilMs = nowMs() + forMs;
      [mark, handled, moreMayWait] = [undefined, undefined, true];
    },
  };
}
export type SimulatedAgent = ReturnType<typeof simulatedAgent>;
