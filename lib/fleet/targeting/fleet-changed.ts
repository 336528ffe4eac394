import * as z from 'zod';
import { defineEvent } from '../../platform/events/domain-event.ts';

const id = z.uuid();
export const SelectorSchema = z.union([z.object({ label: z.string() }), z.object({ key: z.string(), value: z.string() })]);

/** An admin or the generator itself, for the audit of what follows. */
const RemovedBy = z.object({
  principal: z.union([z.object({ type: z.literal('admin') }), z.object({ type: z.literal('generator'), id })]),
  ip: z.string().optional(),
  userAgent: z.string().optional(),
});

/** Something changed that may concern agents other than those known in the request that changed it. */
export const FleetChange = z.discriminatedUnion('kind', [
  /** A new deployment object: whoever the stack selects. */
  z.object({ kind: z.literal('stack-changed'), stack_id: id }),
  /** A label or annotation put on or taken off a stack: whoever it selects, or did. Others run the stack as before. */
  z.object({ kind: z.literal('selector-changed'), stack_id: id, generator_id: id, selector: SelectorSchema }),
  /** Whoever it selected must let go of it; then its edges are cleared away. */
  z.object({ kind: z.literal('stack-removed'), stack_id: id, generator_id: id }),
  /** Its edges are cleared away. */
  z.object({ kind: z.literal('agent-removed'), agent_id: id }),
  /** Its stacks are removed one by one, then its registrations. */
  z.object({ kind: z.literal('generator-removed'), generator_id: id, by: RemovedBy }),
]);
export type FleetChange = z.infer<typeof FleetChange>;

export const fleetChanged = defineEvent({ name: 'fleet.changed', schema: FleetChange });
/** The queue of the consumer that notifies agents. */
export const AGENT_FANOUT_QUEUE = 'agent-fanout';
