import { fanOut } from '../../lib/fleet/targeting/fan-out.ts';
import { AGENT_FANOUT_QUEUE, fleetChanged } from '../../lib/fleet/targeting/fleet-changed.ts';
import { consumerFor } from '../../lib/platform/events/consumer.ts';
import type { Services } from '../services.ts';

/** Notifies the agents that a change may concern, if the request that made the change left that to the queue. */
export const agentFanout = consumerFor<Services>()({
  queue: AGENT_FANOUT_QUEUE,
  events: [fleetChanged],
  handle: (services, { data }) => fanOut(services, data),
});
