import * as z from 'zod';
import { type Database, type Item, queryAll, type Write } from '../../platform/database/database.ts';
import { invitationKey, invitationPrefix, invitedKey, organizationPk } from '../accounts/accounts-table.ts';
import { dashboardError } from '../accounts/dashboard-errors.ts';
import { identityTable } from '../identity-table.ts';
import { MemberRole, ORGANIZATION_LIMITS } from './organization.ts';

const time = z.iso.datetime();
export const Invitation = z
  .object({ id: z.string(), email: z.string(), role: MemberRole, invited_by: z.string(), created_at: time, expires_at: time })
  .meta({ id: 'Invitation' });
export type Invitation = z.infer<typeof Invitation>;

/** `expires_at` of an item is the store's time to live, so the end has another name. */
export const StoredInvitation = Invitation.omit({ expires_at: true }).extend({
  organization_id: z.string(),
  token_hash: z.string(),
  ends_at_ms: z.number(),
});
export type StoredInvitation = z.infer<typeof StoredInvitation>;

export const publicInvitation = ({ ends_at_ms, ...invitation }: StoredInvitation): Invitation => ({
  ...invitation,
  expires_at: new Date(ends_at_ms).toISOString(),
});

const table = identityTable.name;
const gone = () => dashboardError('INVITATION_NOT_FOUND');

export const newInvitationWrites = (invitation: StoredInvitation): Write[] => {
  const { organization_id, id, token_hash } = invitation;
  return [
    { table, put: { ...invitationKey(organization_id, id), type: 'invitation', ...invitation } as Item, if: { exists: false } },
    {
      table,
      put: {
        ...invitedKey(token_hash),
        type: 'invited',
        organization_id,
        invitation_id: id,
        expires_at: Math.ceil(invitation.ends_at_ms / 1000),
      } as Item,
    },
  ];
};

/** The writes that use up an invitation. They fail with INVITATION_NOT_FOUND if it was used or withdrawn. */
export const removeInvitationWrites = ({ organization_id, id, token_hash }: StoredInvitation): Write[] => [
  { table, delete: invitationKey(organization_id, id), if: { exists: true }, orElse: gone },
  { table, delete: invitedKey(token_hash) },
];

export async function findInvitationOfToken(database: Database, tokenHash: string): Promise<StoredInvitation | undefined> {
  const pointer = await database.get(table, invitedKey(tokenHash));
  if (!pointer) return undefined;
  const { organization_id, invitation_id } = z.object({ organization_id: z.string(), invitation_id: z.string() }).parse(pointer);
  const item = await database.get(table, invitationKey(organization_id, invitation_id));
  return item && StoredInvitation.parse(item);
}

/** All invitations of an organization, ended ones among them. */
export async function listInvitations(database: Database, organizationId: string): Promise<StoredInvitation[]> {
  const items = await queryAll(database, table, {
    pk: organizationPk(organizationId),
    prefix: invitationPrefix,
    limit: 2 * ORGANIZATION_LIMITS.invitations,
  });
  return items.map((item) => StoredInvitation.parse(item));
}
