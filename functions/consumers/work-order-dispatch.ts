import { dispatchOrder } from '../../lib/fleet/work-orders/dispatch/dispatch-order.ts';
import {
  AgentsWoken,
  agentsWoken,
  OrderClaimable,
  orderClaimable,
  WORK_ORDER_DISPATCH_QUEUE,
} from '../../lib/fleet/work-orders/dispatch/order-events.ts';
import { wakeSegment } from '../../lib/fleet/work-orders/dispatch/wake-agents.ts';
import { consumerFor } from '../../lib/platform/events/consumer.ts';
import type { Services } from '../services.ts';

/** Offers work orders to agents, and tells agents to look for them. */
export const workOrderDispatch = consumerFor<Services>()<OrderClaimable | AgentsWoken>({
  queue: WORK_ORDER_DISPATCH_QUEUE,
  events: [orderClaimable, agentsWoken],
  handle: (services, { id, name, data }) =>
    name === orderClaimable.name
      ? dispatchOrder(services, { id, data: OrderClaimable.parse(data) })
      : wakeSegment(services, { id, data: AgentsWoken.parse(data) }),
});
