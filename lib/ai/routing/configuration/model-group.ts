import * as z from 'zod';
import { PRIORITIES } from '../project-settings.ts';

export const PriorityName = z.enum(PRIORITIES);

/** A group's id is asked for as a model. It may be a model's own name, but never one with a provider's prefix. */
export const GroupId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/, 'must be 1 to 100 letters, digits, dots, colons, dashes and underscores');

const GroupTarget = z.strictObject({
  /** `provider/model`. */
  model: z.string().regex(/^[^\s\p{Cc}/]{1,63}\/[^\s\p{Cc}]{1,200}$/u, 'must be provider/model'),
  weight: z.number().min(0).max(100).exactOptional(),
  priority: z.int().min(0).max(1_000).exactOptional(),
});

const members = { targets: z.array(GroupTarget).min(1).max(20), priority: PriorityName.exactOptional() };
export const NewModelGroup = z.strictObject({ id: GroupId, ...members }).meta({ id: 'NewModelGroup' });
export type NewModelGroup = z.infer<typeof NewModelGroup>;
export const ModelGroupChange = z
  .strictObject({ targets: members.targets.exactOptional(), priority: PriorityName.nullable().exactOptional() })
  .refine((change) => Object.keys(change).length > 0, 'must name at least one member')
  .meta({ id: 'ModelGroupChange' });
export type ModelGroupChange = z.infer<typeof ModelGroupChange>;

export const StoredModelGroup = z.object({
  version: z.int(),
  organization_id: z.string(),
  id: z.string(),
  ...members,
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});
export type StoredModelGroup = z.infer<typeof StoredModelGroup>;
