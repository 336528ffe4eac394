import * as z from 'zod';
import { decideFor } from '../../identity/principal.ts';
import { defineEvent, type Occurrence, occurrence } from '../../platform/events/domain-event.ts';
import { Progress } from '../../platform/events/segments.ts';

import type { Caller } from '../fleet-ports.ts';

const id = z.uuid();
/** The caller who asked for the removal, for the audit entries of the removals that follow from it. */
const RemovedBy = z.object({
  principal: z.discriminatedUnion('type', [
    z.object({ type: z.literal('admin') }),
    z.object({ type: z.literal('agent'), id, item: z.object({ revision: z.string(), status: z.string(), name: z.string() }) }),
    z.object({ type: z.literal('generator'), id }),
  ]),
  ip: z.string().optional(),
  userAgent: z.string().optional(),
});

/** A removal whose remains are to be cleared away. Callers no longer see these remains. */
export const FleetRemoval = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('stack'), stack_id: id, generator_id: id }),
  /** `generator_ids` are the generators that the agent was registered with: its edges stand under each of them. */
  z.object({ kind: z.literal('agent'), agent_id: id, generator_ids: z.array(id) }),
  /** The generator's stacks and registrations are removed one by one. */
  z.object({ kind: z.literal('generator'), generator_id: id, by: RemovedBy }),
  /** The generator's work orders that have not ended. */
  z.object({ kind: z.literal('generator-orders'), generator_id: id }),
  /** The explicit targets that the registration allowed. */
  z.object({ kind: z.literal('registration'), agent_id: id, generator_id: id, registration_id: id, by: RemovedBy }),
]);
export type FleetRemoval = z.infer<typeof FleetRemoval>;

/** A removal, with the segment of its remains that a message clears away. */
export const FleetRemoved = z.object({
  removal: FleetRemoval,
  /** The second pass looks for items that requests wrote which were under way at the removal. */
  pass: z.union([z.literal(1), z.literal(2)]),
  ...Progress.shape,
});
export type FleetRemoved = z.infer<typeof FleetRemoved>;

export const fleetRemoved = defineEvent({ name: 'fleet.removed', schema: FleetRemoved });
/** The queue of the consumer that clears away. It is separate, so that notifying agents never waits for it. */
export const CLEAN_UP_QUEUE = 'clean-up';

/**
 * Returns the caller who asked for a removal, with only those fields of an agent's record that the audit needs. A caller of an unknown
 * kind is refused.
 */
export const removedBy = ({ principal, ip, userAgent }: Caller): z.infer<typeof RemovedBy> =>
  RemovedBy.parse({
    principal: decideFor<object>(principal, {
      admin: ({ type }) => ({ type }),
      agent: ({ type, id, item }) => ({ type, id, item }),
      generator: ({ type, id }) => ({ type, id }),
    }),
    ip,
    userAgent,
  });

/** The removal as an event, for the commit that stores it. */
export const announceRemoval = (removal: FleetRemoval): Occurrence<FleetRemoved> =>
  occurrence(fleetRemoved, { removal, pass: 1, segment: 1 });
