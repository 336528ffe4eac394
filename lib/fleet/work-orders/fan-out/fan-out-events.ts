import * as z from 'zod';
import { defineEvent } from '../../../platform/events/domain-event.ts';
import { Progress } from '../../../platform/events/segments.ts';

/** An order for all agents gets its child orders. A message makes one segment of the children for one of its targets. */
export const OrderFanOut = z.object({
  order_id: z.guid(),
  /** The number of the target: 0 for the agents that are named, then each label and each annotation. */
  target: z.int().min(0),
  ...Progress.shape,
});
export type OrderFanOut = z.infer<typeof OrderFanOut>;
export const orderFanOut = defineEvent({ name: 'work-order.fan-out', schema: OrderFanOut });

/** A child order has ended, so its parent may be at its end too. */
export const ChildEnded = z.object({ parent_id: z.guid() });
export type ChildEnded = z.infer<typeof ChildEnded>;
export const childEnded = defineEvent({ name: 'work-order.child-ended', schema: ChildEnded });

/** An order for all agents was cancelled. A message cancels one segment of its children. */
export const FanOutCancelled = z.object({ order_id: z.guid(), ...Progress.shape });
export type FanOutCancelled = z.infer<typeof FanOutCancelled>;
export const fanOutCancelled = defineEvent({ name: 'work-order.fan-out-cancelled', schema: FanOutCancelled });
