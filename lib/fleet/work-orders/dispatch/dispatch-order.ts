import { ConditionFailed, type Write } from '../../../platform/database/database.ts';
import { eachBounded } from '../../../platform/each-bounded.ts';
import { AlreadyHandled, handledMark } from '../../../platform/events/handled-mark.ts';
import type { NotifyPorts } from '../../fleet-ports.ts';
import type { StoredOrder } from '../work-order.ts';
import { findOrder, orderHeldWrite } from '../work-order-repository.ts';
import { offerKey, workOrdersTable } from '../work-orders-table.ts';
import { chooseAgents } from './choose-agents.ts';
import { nudgeAgent } from './nudge-agent.ts';
import { announceClaimable, type OrderClaimable, WORK_ORDER_DISPATCH_QUEUE } from './order-events.ts';
import { wakeAgents } from './wake-agents.ts';

const table = workOrdersTable.name;
/** The agents that an order is offered to have it for themselves for this long. */
const WIDEN_AFTER_MS = 15_000;

/**
 * Tells agents of an order that may be claimed. May run twice, late, or after the order has moved on. Costs one read if the order has moved
 * on; an offer costs at most 20 reads, one transaction and three writes.
 */
export async function dispatchOrder(ports: NotifyPorts, { id: eventId, data }: { id: string; data: OrderClaimable }): Promise<void> {
  const order = await findOrder(ports.database, data.order_id);
  if (!order || order.attempt !== data.attempt || order.status !== data.status) return;
  const nowMs = ports.clock.nowMs();
  // The lease was renewed, so the event comes again when it ends.
  if (order.claimable_at > nowMs) return void (await once(() => rearm(ports, eventId, order, data)));
  if (data.step === 'widen') return wakeAgents(ports, order);
  const chosen = await chooseAgents(ports.database, order, ports.installation.system_generator_id, nowMs);
  const effect = await once(() => offer(ports, eventId, order, chosen));
  // An earlier delivery has stored its own choice, and may have died before it told the agents.
  const told = { now: chosen, before: order.offered_to, 'too late': [] }[effect];
  await eachBounded(told, told.length, (agentId) => nudgeAgent(ports.database, agentId));
}

/** Runs an effect, and says when it took place. `too late`: the order has moved on. */
async function once(effect: () => Promise<void>): Promise<'now' | 'before' | 'too late'> {
  try {
    await effect();
    return 'now';
  } catch (error) {
    if (error instanceof AlreadyHandled) return 'before';
    if (error instanceof ConditionFailed) return 'too late';
    throw error;
  }
}

const mark = ({ clock }: NotifyPorts, eventId: string): Write =>
  handledMark(table, { queue: WORK_ORDER_DISPATCH_QUEUE, eventId, nowMs: clock.nowMs() });

const rearm = (ports: NotifyPorts, eventId: string, order: StoredOrder, { step }: OrderClaimable): Promise<void> =>
  ports.commit({
    writes: [mark(ports, eventId)],
    audit: { unaudited: 'bookkeeping: an order is looked at again when its lease ends' },
    events: [announceClaimable(order, order.claimable_at, step)],
  });

/** Stores the offers, the best agent's first, and removes those of an earlier choice. */
function offer(ports: NotifyPorts, eventId: string, order: StoredOrder, chosen: readonly string[]): Promise<void> {
  const outdated = order.offered_to.filter((agentId) => !chosen.includes(agentId));
  return ports.commit({
    writes: [
      mark(ports, eventId),
      orderHeldWrite(order, { offered_to: [...chosen] }),
      ...chosen.map((agentId, rank): Write => ({ table, put: { ...offerKey(agentId, order.id), type: 'order-offer', rank } })),
      ...outdated.map((agentId): Write => ({ table, delete: offerKey(agentId, order.id) })),
    ],
    audit: { unaudited: 'bookkeeping: an order is offered to agents' },
    events: [announceClaimable(order, ports.clock.nowMs() + WIDEN_AFTER_MS, 'widen')],
  });
}
