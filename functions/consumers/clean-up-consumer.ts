import { cleanUp } from '../../lib/fleet/removal/clean-up.ts';
import { CLEAN_UP_QUEUE, fleetRemoved } from '../../lib/fleet/removal/fleet-removed.ts';
import { consumerFor } from '../../lib/platform/events/consumer.ts';
import type { Services } from '../services.ts';

/** Deletes the items that removed stacks, agents, generators and registrations leave behind. */
export const cleanUpConsumer = consumerFor<Services>()({
  queue: CLEAN_UP_QUEUE,
  events: [fleetRemoved],
  handle: (services, event) => cleanUp(services, event),
});
