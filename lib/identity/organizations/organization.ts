import * as z from 'zod';
import { Ulid } from '../accounts/account-schemas.ts';
import { ROLES } from '../accounts/roles.ts';

const time = z.iso.datetime();
export const MemberRole = z.enum(ROLES);

/** An organization as one of its members sees it. */
export const Organization = z
  .object({
    id: Ulid,
    name: z.string(),
    slug: z.string(),
    description: z.string().nullable(),
    /** The caller's role. */
    role: MemberRole,
    plan: z.string(),
    status: z.enum(['active', 'suspended']),
    created_at: time,
    updated_at: time,
  })
  .meta({ id: 'Organization' });
export type Organization = z.infer<typeof Organization>;

export const StoredOrganization = Organization.omit({ role: true }).extend({
  /** A limit of its own, for an enterprise organization; else the plan's. */
  requests_per_minute: z.int().min(1).nullable(),
  /** Counted in the transactions that change them. */
  owners: z.int(),
  members: z.int(),
  projects: z.int(),
  invitations: z.int(),
  version: z.int(),
});
export type StoredOrganization = z.infer<typeof StoredOrganization>;

export const StoredMember = z.object({
  organization_id: z.string(),
  user_id: z.string(),
  role: MemberRole,
  joined_at: time,
});
export type StoredMember = z.infer<typeof StoredMember>;

/** The most of each that an organization may have. Lists are read whole, so that their totals are exact. */
export const ORGANIZATION_LIMITS = { members: 500, projects: 500, invitations: 200 } as const;
/** The most organizations that one user owns, and the most that he can be in to be added to another one. */
export const ORGANIZATIONS_OF_A_USER = 100;
