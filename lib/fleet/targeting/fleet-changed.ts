import * as z from 'zod';
import { defineEvent, type Occurrence, occurrence } from '../../platform/events/domain-event.ts';
import { Progress } from '../../platform/events/segments.ts';

const id = z.uuid();
export const SelectorSchema = z.union([z.object({ label: z.string() }), z.object({ key: z.string(), value: z.string() })]);

/** Something changed that may concern agents. Only agents that are registered with the generator are notified. */
export const FleetChange = z.discriminatedUnion('kind', [
  /** A stack has a new deployment object. It concerns the agents that the stack selects. */
  z.object({ kind: z.literal('stack-changed'), stack_id: id, generator_id: id }),
  /** A stack got or lost a label or an annotation. It concerns the agents that have the same one; other agents run the stack as before. */
  z.object({ kind: z.literal('selector-changed'), stack_id: id, generator_id: id, selector: SelectorSchema }),
  /** A stack was removed. It concerns the agents that these selectors or a target selected. */
  z.object({ kind: z.literal('stack-removed'), stack_id: id, generator_id: id, selectors: z.array(SelectorSchema) }),
  /** An agent's own labels, annotations, targets or registrations changed. */
  z.object({ kind: z.literal('agent-changed'), agent_id: id, stack_id: id.optional() }),
]);
export type FleetChange = z.infer<typeof FleetChange>;

/** A change, with the segment of its agents that a message notifies. */
export const FleetChanged = z.object({ change: FleetChange, ...Progress.shape });
export type FleetChanged = z.infer<typeof FleetChanged>;

export const fleetChanged = defineEvent({ name: 'fleet.changed', schema: FleetChanged });
/** The queue of the consumer that notifies agents. */
export const AGENT_FANOUT_QUEUE = 'agent-fanout';

/** The change as an event, for the commit that stores it. */
export const announce = (change: FleetChange): Occurrence<FleetChanged> => occurrence(fleetChanged, { change, segment: 1 });
