import * as z from 'zod';
import { type Database, type Item, queryAll, type Write } from '../../platform/database/database.ts';
import type { AppError } from '../../platform/errors.ts';
import {
  memberKey,
  memberPrefix,
  membershipKey,
  membershipPrefix,
  organizationKey,
  organizationPk,
  organizationSlugKey,
  userPk,
} from '../accounts/accounts-table.ts';
import { dashboardError } from '../accounts/dashboard-errors.ts';
import type { Role } from '../accounts/roles.ts';
import { identityTable } from '../identity-table.ts';
import { ORGANIZATION_LIMITS, ORGANIZATIONS_OF_A_USER, StoredMember, StoredOrganization } from './organization.ts';

const table = identityTable.name;

export const SLUG_TAKEN = 'NAME_ALREADY_EXISTS';
export const slugTaken = (): AppError => dashboardError(SLUG_TAKEN, { message: 'slug: is taken', details: { field: 'slug' } });
const changedMeanwhile = () => dashboardError('VERSION_CONFLICT');

/** The writes for a new organization with its first owner. */
export const newOrganizationWrites = (organization: StoredOrganization, owner: StoredMember): Write[] => [
  {
    table,
    put: { ...organizationSlugKey(organization.slug), type: 'organization-slug', organization_id: organization.id } as Item,
    if: { exists: false },
    orElse: slugTaken,
  },
  { table, put: { ...organizationKey(organization.id), type: 'organization', ...organization } as Item, if: { exists: false } },
  ...memberItems(owner),
];

function memberItems(member: StoredMember): Write[] {
  const { organization_id, user_id } = member;
  return [
    {
      table,
      put: { ...memberKey(organization_id, user_id), type: 'member', ...member } as Item,
      if: { exists: false },
      orElse: () => dashboardError('ALREADY_A_MEMBER'),
    },
    { table, put: { ...membershipKey(user_id, organization_id), type: 'membership', organization_id } as Item },
  ];
}

/** The writes for a new member. They fail with LIMIT_REACHED, or if the organization is gone. */
export const addMemberWrites = (organization: StoredOrganization, member: StoredMember, change: { invitations?: number } = {}): Write[] => [
  ...memberItems(member),
  countWrite(organization, { members: 1, ...(member.role === 'owner' && { owners: 1 }), ...change }),
];

/**
 * Moves an organization's counters, on the condition that they are as they were read. Two requests that both see a second owner can't
 * both take one away.
 */
export function countWrite(
  organization: StoredOrganization,
  add: Partial<Record<'owners' | 'members' | 'projects' | 'invitations', number>>,
): Write {
  const names = z.array(z.enum(['owners', 'members', 'projects', 'invitations'])).parse(Object.keys(add));
  return {
    table,
    update: organizationKey(organization.id),
    add,
    if: { exists: true, equals: Object.fromEntries(names.map((name) => [name, organization[name]])) },
    orElse: changedMeanwhile,
  };
}

/** Refuses a further member, project or invitation if there are as many as there may be. */
export function checkRoom(organization: StoredOrganization, what: keyof typeof ORGANIZATION_LIMITS): void {
  const limit = ORGANIZATION_LIMITS[what];
  if (organization[what] >= limit)
    throw dashboardError('LIMIT_REACHED', { message: `an organization has at most ${limit} ${what}`, details: { limit } });
}

/** Refuses a further organization for a user who is in as many as he may be. */
export async function checkRoomForUser(database: Database, userId: string): Promise<void> {
  if ((await listMemberships(database, userId)).length >= ORGANIZATIONS_OF_A_USER)
    throw dashboardError('LIMIT_REACHED', { message: `a user is added to at most ${ORGANIZATIONS_OF_A_USER} organizations` });
}

export const changeMemberWrite = ({ organization_id, user_id, role }: StoredMember, next: Role): Write => ({
  table,
  update: memberKey(organization_id, user_id),
  set: { role: next },
  if: { equals: { role } },
  orElse: changedMeanwhile,
});

export const removeMemberWrites = ({ organization_id, user_id, role }: StoredMember): Write[] => [
  { table, delete: memberKey(organization_id, user_id), if: { equals: { role } }, orElse: changedMeanwhile },
  { table, delete: membershipKey(user_id, organization_id) },
];

export const changeOrganizationWrite = (before: StoredOrganization, change: Partial<StoredOrganization>): Write => ({
  table,
  update: organizationKey(before.id),
  set: { ...change, version: before.version + 1 },
  if: { equals: { version: before.version } },
  orElse: changedMeanwhile,
});

/** Removes the organization itself. A counter that moved since it was read means that something was added meanwhile. */
export const removeOrganizationWrites = (before: StoredOrganization): Write[] => [
  {
    table,
    delete: organizationKey(before.id),
    if: { equals: { version: before.version, members: before.members, projects: before.projects, invitations: before.invitations } },
    orElse: changedMeanwhile,
  },
  { table, delete: organizationSlugKey(before.slug) },
];

export async function findOrganization(database: Database, id: string): Promise<StoredOrganization | undefined> {
  const item = await database.get(table, organizationKey(id));
  return item && StoredOrganization.parse(item);
}

export async function findMember(database: Database, organizationId: string, userId: string): Promise<StoredMember | undefined> {
  const item = await database.get(table, memberKey(organizationId, userId));
  return item && StoredMember.parse(item);
}

/** An organization and the user's membership, as of one read; undefined if either is missing. */
export async function findMembership(
  database: Database,
  organizationId: string,
  userId: string,
): Promise<{ organization: StoredOrganization; member: StoredMember } | undefined> {
  const items = await database.batchGet(table, [organizationKey(organizationId), memberKey(organizationId, userId)]);
  const organization = items.find(({ sk }) => sk === 'ORG');
  const member = items.find(({ sk }) => sk !== 'ORG');
  return organization && member && { organization: StoredOrganization.parse(organization), member: StoredMember.parse(member) };
}

export async function listMembers(database: Database, organizationId: string): Promise<StoredMember[]> {
  const items = await queryAll(database, table, {
    pk: organizationPk(organizationId),
    prefix: memberPrefix,
    limit: ORGANIZATION_LIMITS.members,
  });
  return items.map((item) => StoredMember.parse(item));
}

export async function listMemberships(
  database: Database,
  userId: string,
): Promise<{ organization: StoredOrganization; member: StoredMember }[]> {
  const edges = await queryAll(database, table, { pk: userPk(userId), prefix: membershipPrefix, limit: 2 * ORGANIZATIONS_OF_A_USER });
  const ids = edges.map(({ organization_id }) => z.string().parse(organization_id));
  const items = await database.batchGet(
    table,
    ids.flatMap((id) => [organizationKey(id), memberKey(id, userId)]),
  );
  const organizations = items.filter(({ sk }) => sk === 'ORG').map((item) => StoredOrganization.parse(item));
  const members = new Map(items.filter(({ sk }) => sk !== 'ORG').map((item) => [item.pk, StoredMember.parse(item)]));
  return organizations.flatMap((organization) => {
    const member = members.get(organizationPk(organization.id));
    return member ? [{ organization, member }] : [];
  });
}
