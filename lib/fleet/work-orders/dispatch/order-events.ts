import * as z from 'zod';
import { defineEvent, type Occurrence, occurrence } from '../../../platform/events/domain-event.ts';
import { Progress } from '../../../platform/events/segments.ts';
import type { StoredOrder } from '../work-order.ts';

/** The queue of the consumer that tells agents of orders. */
export const WORK_ORDER_DISPATCH_QUEUE = 'work-order-dispatch';

/**
 * An order may be claimed: it is new, the time of its retry has come, or its lease is over. If the order has moved on since, its attempt or
 * its status is another one, and the event means nothing.
 */
export const OrderClaimable = z.object({
  order_id: z.guid(),
  attempt: z.int(),
  status: z.enum(['PENDING', 'CLAIMED', 'RETRY_PENDING']),
  /** `offer`: choose three agents and tell them. `widen`: they did not claim it, so tell all agents that may. */
  step: z.enum(['offer', 'widen']),
});
export type OrderClaimable = z.infer<typeof OrderClaimable>;
export const orderClaimable = defineEvent({ name: 'work-order.claimable', schema: OrderClaimable });

/** The event for the commit that makes an order claimable, now or at a later time. Claims are right without it; agents learn of it sooner. */
export const announceClaimable = (
  { id, attempt, status }: Pick<StoredOrder, 'id' | 'attempt' | 'status'>,
  atMs?: number,
  step: OrderClaimable['step'] = 'offer',
): Occurrence<OrderClaimable> => occurrence(orderClaimable, { order_id: id, attempt, status, step }, atMs);

const Target = z.union([
  z.object({ agent_id: z.guid() }),
  z.object({ label: z.string() }),
  z.object({ key: z.string(), value: z.string() }),
]);
/** All agents of a target are to look for orders; a message wakes one segment of them. */
export const AgentsWoken = z.object({ generator_id: z.guid(), target: Target, ...Progress.shape });
export type AgentsWoken = z.infer<typeof AgentsWoken>;
export const agentsWoken = defineEvent({ name: 'work-order.agents-woken', schema: AgentsWoken });
