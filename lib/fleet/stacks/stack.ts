import * as z from 'zod';
import { Description, Name } from '../../platform/names.ts';
import { fleetError } from '../fleet-errors.ts';

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

export const STACK_LIMITS = { labels: 64, annotations: 64 } as const;

export function checkStackText(name: string, description: string | null): void {
  for (const [field, schema, value] of [['name', Name, name] as const, ['description', Description.nullable(), description] as const]) {
    const result = schema.safeParse(value);
    if (result.success) continue;
    const rule = result.error.issues[0]?.message ?? 'is invalid';
    throw fleetError('invalid_stack', { message: `${field} ${rule}`, details: { field, rule } });
  }
}
