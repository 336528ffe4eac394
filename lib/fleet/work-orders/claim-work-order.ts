import { decideFor } from '../../identity/principal.ts';
import { timestamp } from '../../platform/clock.ts';
import { ConditionFailed } from '../../platform/database/database.ts';
import { newToken } from '../../platform/ids.ts';
import { fleetError } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import type { ClaimedWorkOrder, WorkOrderLease } from '../protocol/work-order-protocol.ts';
import { type AgentSelectors, findAgentSelectors } from '../targeting/selection.ts';
import { announceClaimable } from './dispatch/order-events.ts';
import { orderAudit } from './order-owner.ts';
import { claimableAfterMs, leaseEndMs, type StoredOrder, statusAt, toWire } from './work-order.ts';
import { findOrder, orderClaimWrite, orderHeldWrite, readYaml } from './work-order-repository.ts';

const leaseOf = (order: StoredOrder, nowMs: number): WorkOrderLease => ({
  token: order.token ?? '',
  attempt: order.attempt,
  seconds: Math.max(0, Math.floor((leaseEndMs(order, nowMs) - nowMs) / 1_000)),
});

/**
 * Gives a claimable order to an agent that it is for. Of several agents that claim at once one succeeds. An unknown order, one that
 * somebody holds, and one for other agents are answered alike. Costs two reads of one unit, one for the YAML, and one transaction.
 */
export async function claimWorkOrder(
  ports: FleetPorts,
  caller: Caller,
  id: string,
  { agent_id, lease_seconds }: { agent_id: string; lease_seconds?: number | undefined },
): Promise<ClaimedWorkOrder> {
  const { database, clock, commit } = ports;
  checkClaimer(caller, agent_id);
  const [order, agent] = await Promise.all([findOrder(database, id), findAgentSelectors(database, agent_id)]);
  const nowMs = Math.floor(clock.nowMs());
  if (!order || !agent || statusAt(order, nowMs) !== 'PENDING' || !isFor(order, agent_id, agent))
    throw fleetError('work_order_not_claimable');
  const now = timestamp(clock);
  const held: StoredOrder = {
    ...order,
    status: 'CLAIMED',
    claimed_by: agent_id,
    claimed_at: now,
    token: newToken(),
    attempt: order.attempt + 1,
    lease_seconds: lease_seconds ?? null,
    updated_at: now,
  };
  const claimed = { ...held, claimable_at: claimableAfterMs(held, nowMs) };
  const { status, claimed_by, claimed_at, token, attempt, updated_at, claimable_at } = claimed;
  const state = { status, claimed_by, claimed_at, token, attempt, updated_at, claimable_at, lease_seconds: claimed.lease_seconds };
  const yaml = await readYaml(database, [order]);
  try {
    const audit = orderAudit(caller, 'workorder.claimed', order, { agent_id, attempt });
    await commit({ writes: [orderClaimWrite(order, state, nowMs)], audit, events: [announceClaimable(claimed, claimable_at)] });
  } catch (error) {
    if (error instanceof ConditionFailed) throw fleetError('work_order_not_claimable');
    throw error;
  }
  return { ...toWire(claimed, yaml.get(id) ?? '', nowMs), ...(lease_seconds !== undefined && { lease: leaseOf(claimed, nowMs) }) };
}

/** An agent claims for itself alone, whatever its request says. */
const checkClaimer = ({ principal }: Caller, agentId: string): void =>
  decideFor(principal, {
    admin: () => {},
    agent: ({ id }) => {
      if (id !== agentId) throw fleetError('agent_pak_mismatch');
    },
    generator: () => {
      throw fleetError('agent_pak_mismatch');
    },
  });

/** Whether an agent may claim an order: by its id, by one of its labels, or by one of its annotations. */
export function isFor(
  { targeting, generator_id, fan_out }: StoredOrder,
  agentId: string,
  { selectors, generators }: Pick<AgentSelectors, 'selectors' | 'generators'>,
) {
  if (fan_out === 'all') return false;
  if (generator_id !== null && !generators.includes(generator_id)) return false;
  const { agent_ids, labels, annotations } = targeting;
  if (agent_ids.includes(agentId)) return true;
  return selectors.some((selector) =>
    'label' in selector
      ? labels.includes(selector.label)
      : Object.hasOwn(annotations, selector.key) && annotations[selector.key] === selector.value,
  );
}

/** Only the agent that holds the claim, or an admin, acts on it. */
export const checkHolder = ({ principal }: Caller, holder: string | null): void =>
  decideFor(principal, {
    admin: () => {},
    agent: ({ id }) => {
      if (id !== holder) throw fleetError('work_order_not_claimed_by_agent');
    },
    generator: () => {
      throw fleetError('work_order_not_claimed_by_agent');
    },
  });

/**
 * Extends the lease of the claim with this token, up to the most time that an attempt may take. A lease that is over can be renewed as
 * long as nobody else has claimed the order. Costs one read and one write of the
 * home, which is a unit each unless its last error is long, and has no audit entry.
 */
export async function renewWorkOrder(ports: FleetPorts, caller: Caller, id: string, token: string): Promise<WorkOrderLease> {
  const { database, clock, commit } = ports;
  const order = await findOrder(database, id);
  if (!order) throw fleetError('work_order_not_found');
  checkHolder(caller, order.claimed_by);
  const nowMs = Math.floor(clock.nowMs());
  if (order.status !== 'CLAIMED' || order.token !== token || leaseEndMs(order, nowMs) <= nowMs) throw fleetError('work_order_lease_lost');
  try {
    const claimable_at = claimableAfterMs(order, nowMs);
    await commit({ writes: [orderHeldWrite(order, { claimable_at })], audit: { unaudited: 'bookkeeping: a lease that goes on' } });
  } catch (error) {
    // Cancelled, completed or claimed by another agent since it was read.
    if (error instanceof ConditionFailed)
      throw fleetError((await findOrder(database, id)) ? 'work_order_lease_lost' : 'work_order_not_found');
    throw error;
  }
  return leaseOf(order, nowMs);
}
