import * as z from 'zod';

const time = z.iso.datetime();

/** An outside principal that owns stacks: a CI system, a team, a tenant. */
export const Generator = z
  .object({
    id: z.uuid(),
    created_at: time,
    updated_at: time,
    deleted_at: time.nullable(),
    name: z.string(),
    description: z.string().nullable(),
    last_active_at: time.nullable(),
    is_active: z.boolean(),
    is_system: z.boolean(),
    /** The agents that may register themselves with it; null means that every agent may. */
    allowed_agent_ids: z.array(z.guid()).nullable(),
  })
  .meta({ id: 'Generator' });
export type Generator = z.infer<typeof Generator>;
