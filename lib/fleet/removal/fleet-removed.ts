import * as z from 'zod';
import { defineEvent, type Occurrence, occurrence } from '../../platform/events/domain-event.ts';
import { Progress } from '../../platform/events/segments.ts';

import type { Caller } from '../fleet-ports.ts';

const id = z.uuid();
/** For the audit of what follows. */
const RemovedBy = z.object({
  principal: z.discriminatedUnion('type', [
    z.object({ type: z.literal('admin') }),
    z.object({ type: z.literal('agent'), id, item: z.object({ revision: z.string(), status: z.string(), name: z.string() }) }),
    z.object({ type: z.literal('generator'), id }),
  ]),
  ip: z.string().optional(),
  userAgent: z.string().optional(),
});

/** Something was removed, and left things behind that nobody sees any more. */
export const FleetRemoval = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('stack'), stack_id: id, generator_id: id }),
  /** With the generators that it was registered with: its edges stand under each of them. */
  z.object({ kind: z.literal('agent'), agent_id: id, generator_ids: z.array(id) }),
  /** The generator's stacks and registrations are removed one by one. */
  z.object({ kind: z.literal('generator'), generator_id: id, by: RemovedBy }),
  /** The explicit targets that the registration allowed. */
  z.object({ kind: z.literal('registration'), agent_id: id, generator_id: id, registration_id: id, by: RemovedBy }),
]);
export type FleetRemoval = z.infer<typeof FleetRemoval>;

/** A removal, and how far its remains are cleared away. */
export const FleetRemoved = z.object({
  removal: FleetRemoval,
  /** 2 looks again for what requests wrote that were under way at the removal. */
  pass: z.union([z.literal(1), z.literal(2)]),
  ...Progress.shape,
});
export type FleetRemoved = z.infer<typeof FleetRemoved>;

export const fleetRemoved = defineEvent({ name: 'fleet.removed', schema: FleetRemoved });
/** The queue of the consumer that clears away. Notifying agents never waits behind it. */
export const CLEAN_UP_QUEUE = 'clean-up';

/** Who asked for a removal; of what admission read of an agent, no more than the audit needs. */
export const removedBy = ({ principal, ip, userAgent }: Caller): z.infer<typeof RemovedBy> => RemovedBy.parse({ principal, ip, userAgent });

/** The removal as an event, for the commit that stores it. */
export const announceRemoval = (removal: FleetRemoval): Occurrence<FleetRemoved> =>
  occurrence(fleetRemoved, { removal, pass: 1, segment: 1 });
