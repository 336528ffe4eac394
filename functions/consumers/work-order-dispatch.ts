import { dispatchOrder } from '../../lib/fleet/work-orders/dispatch/dispatch-order.ts';
import { agentsWoken, orderClaimable, WORK_ORDER_DISPATCH_QUEUE } from '../../lib/fleet/work-orders/dispatch/order-events.ts';
import { wakeSegment } from '../../lib/fleet/work-orders/dispatch/wake-agents.ts';
import { cancelChildren } from '../../lib/fleet/work-orders/fan-out/cancel-children.ts';
import { childEnded, fanOutCancelled, orderFanOut } from '../../lib/fleet/work-orders/fan-out/fan-out-events.ts';
import { finishParent } from '../../lib/fleet/work-orders/fan-out/finish-parent.ts';
import { makeChildren } from '../../lib/fleet/work-orders/fan-out/make-children.ts';
import { consumerFor } from '../../lib/platform/events/consumer.ts';
import type { DomainEvent } from '../../lib/platform/events/domain-event.ts';
import type { Services } from '../services.ts';

const on = <T>(event: DomainEvent<T>, handle: (services: Services, event: { id: string; data: T }) => Promise<void>) => ({
  event,
  handle: (services: Services, id: string, data: unknown) => handle(services, { id, data: event.schema.parse(data) }),
});

const handlers = [
  on(orderClaimable, (services, event) => dispatchOrder(services, event)),
  on(agentsWoken, (services, event) => wakeSegment(services, event)),
  on(orderFanOut, (services, event) => makeChildren(services, event)),
  on(childEnded, (services, { data }) => finishParent(services, data.parent_id)),
  on(fanOutCancelled, (services, event) => cancelChildren(services, event)),
];

/** Offers work orders to agents, tells agents to look for them, and looks after the children of orders for all agents. */
export const workOrderDispatch = consumerFor<Services>()<unknown>({
  queue: WORK_ORDER_DISPATCH_QUEUE,
  events: handlers.map(({ event }) => event as DomainEvent<unknown>),
  async handle(services, { id, name, data }) {
    await handlers.find(({ event }) => event.name === name)?.handle(services, id, data);
  },
});
