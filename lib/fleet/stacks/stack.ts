import * as z from 'zod';

const time = z.iso.datetime();

/** A named bundle of Kubernetes objects, owned by one generator. */
export const Stack = z
  .object({
    id: z.uuid(),
    created_at: time,
    updated_at: time,
    deleted_at: time.nullable(),
    name: z.string(),
    description: z.string().nullable(),
    generator_id: z.uuid(),
  })
  .meta({ id: 'Stack' });
export type Stack = z.infer<typeof Stack>;

/** The stack's newest deployment object, which is its desired state. */
export const StackHead = z.object({ object_id: z.uuid(), sequence: z.int(), checksum: z.string(), is_deletion_marker: z.boolean() });
export type StackHead = z.infer<typeof StackHead>;
