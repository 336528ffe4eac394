import { fanOut } from '../../lib/fleet/targeting/fan-out.ts';
import { AGENT_FANOUT_QUEUE, fleetChanged } from '../../lib/fleet/targeting/fleet-changed.ts';
import { consumerFor } from '../../lib/platform/events/consumer.ts';
import type { Services } from '../services.ts';

/** Notifies the agents that a change concerns, if they are too many for the request that made the change. */
export const agentFanout = consumerFor<Services>()({
  queue: AGENT_FANOUT_QUEUE,
  events: [fleetChanged],
  handle: (services, event) => fanOut(services, event),
});
