import * as z from 'zod';
import type { Write } from '../../platform/database/database.ts';
import type { AccountPorts, Caller } from '../accounts/account-ports.ts';
import { memberKey, userKey } from '../accounts/accounts-table.ts';
import { dashboardError } from '../accounts/dashboard-errors.ts';
import { retryConflicts } from '../accounts/retry-conflicts.ts';
import { type Permission, type Role, roleMay } from '../accounts/roles.ts';
import { StoredUser } from '../accounts/users/user.ts';
import { identityTable } from '../identity-table.ts';
import { MemberRole, type StoredMember, type StoredOrganization } from './organization.ts';
import {
  addMemberWrites,
  changeMemberWrite,
  checkRoom,
  checkRoomForUser,
  countWrite,
  findMember,
  findMembership,
  listMembers,
  removeMemberWrites,
} from './organization-repository.ts';

export const Member = z
  .object({ user_id: z.string(), email: z.string(), name: z.string(), role: MemberRole, joined_at: z.iso.datetime() })
  .meta({ id: 'Member' });
export type Member = z.infer<typeof Member>;

const publicMember = ({ user_id, role, joined_at }: StoredMember, { email, name }: StoredUser): Member => ({
  user_id,
  email,
  name,
  role,
  joined_at,
});

export async function listMembersWithNames(
  { database }: AccountPorts,
  organizationId: string,
): Promise<(Member & { created_at: string })[]> {
  const members = await listMembers(database, organizationId);
  const items = await database.batchGet(
    identityTable.name,
    members.map(({ user_id }) => userKey(user_id)),
  );
  const users = new Map(items.map((item) => StoredUser.parse(item)).map((user) => [user.id, user]));
  return members.flatMap((member) => {
    const user = users.get(member.user_id);
    return user ? [{ ...publicMember(member, user), created_at: member.joined_at }] : [];
  });
}

/**
 * The organization and the caller's own membership, read again. Its write makes the transaction fail if the caller's role has changed
 * since: two owners can't each take the other's role away.
 */
export async function actingIn(
  { database }: AccountPorts,
  { principal }: Caller,
  organizationId: string,
  permission: Permission,
): Promise<{ organization: StoredOrganization; own: StoredMember; stillSo: Write }> {
  const found = await findMembership(database, organizationId, principal.user_id);
  if (!found) throw dashboardError('ORG_NOT_FOUND');
  if (!roleMay(found.member.role, permission)) throw dashboardError('INSUFFICIENT_PERMISSIONS', { details: { required: permission } });
  return { organization: found.organization, own: found.member, stillSo: stillMember(found.member) };
}

/** The write that makes a transaction fail if the member has gone or has got another role since he was read. */
export const stillMember = ({ organization_id, user_id, role }: StoredMember): Write => ({
  table: identityTable.name,
  check: memberKey(organization_id, user_id),
  if: { equals: { role } },
  orElse: () => dashboardError('VERSION_CONFLICT'),
});

/** Only an owner makes owners, or takes their role. */
export const mayDecideOn = (own: Role, ...roles: readonly Role[]): boolean => own === 'owner' || !roles.includes('owner');
export function checkOwnership(own: StoredMember, ...roles: readonly Role[]): void {
  if (!mayDecideOn(own.role, ...roles))
    throw dashboardError('INSUFFICIENT_PERMISSIONS', { message: 'only an owner decides who is an owner' });
}

/** Makes a user a member at once. */
export const addMember = (ports: AccountPorts, caller: Caller, organizationId: string, user: StoredUser, role: Role): Promise<Member> =>
  retryConflicts(async () => {
    const { organization, own, stillSo } = await actingIn(ports, caller, organizationId, 'members:invite');
    checkOwnership(own, role);
    if (await findMember(ports.database, organizationId, user.id)) throw dashboardError('ALREADY_A_MEMBER');
    checkRoom(organization, 'members');
    await checkRoomForUser(ports.database, user.id);
    const member: StoredMember = {
      organization_id: organizationId,
      user_id: user.id,
      role,
      joined_at: new Date(ports.clock.nowMs()).toISOString(),
    };
    await ports.commit({
      writes: [...addMemberWrites(organization, member), ...(own.user_id === user.id ? [] : [stillSo])],
      audit: audited(caller, 'member.added', member, { role }),
    });
    return publicMember(member, user);
  });

export const changeRole = (ports: AccountPorts, caller: Caller, organizationId: string, userId: string, role: Role): Promise<Member> =>
  retryConflicts(async () => {
    const { organization, own, stillSo } = await actingIn(ports, caller, organizationId, 'roles:write');
    const { member, user } = await existing(ports, organizationId, userId);
    checkOwnership(own, role, member.role);
    const owners = (role === 'owner' ? 1 : 0) - (member.role === 'owner' ? 1 : 0);
    if (owners < 0) checkNotLast(organization);
    if (role !== member.role)
      await ports.commit({
        writes: [
          changeMemberWrite(member, role),
          ...(owners === 0 ? [] : [countWrite(organization, { owners })]),
          ...(own.user_id === userId ? [] : [stillSo]),
        ],
        audit: audited(caller, 'member.role_changed', member, { from: member.role, to: role }),
      });
    return publicMember({ ...member, role }, user);
  });

/** An owner removes members; everybody may leave. The last owner can do neither to himself. */
export const removeMember = (ports: AccountPorts, caller: Caller, organizationId: string, userId: string): Promise<void> =>
  retryConflicts(async () => {
    const leaves = userId === caller.principal.user_id;
    const { organization, stillSo } = await actingIn(ports, caller, organizationId, leaves ? 'organizations:read' : 'members:remove');
    const { member } = await existing(ports, organizationId, userId);
    if (member.role === 'owner') checkNotLast(organization);
    await ports.commit({
      writes: [
        ...removeMemberWrites(member),
        countWrite(organization, { members: -1, ...(member.role === 'owner' && { owners: -1 }) }),
        ...(leaves ? [] : [stillSo]),
      ],
      audit: audited(caller, 'member.removed', member, { role: member.role }),
    });
  });

function checkNotLast({ owners }: StoredOrganization): void {
  if (owners <= 1) throw dashboardError('LAST_OWNER');
}

async function existing({ database }: AccountPorts, organizationId: string, userId: string) {
  const items = await database.batchGet(identityTable.name, [userKey(userId)]);
  const member = await findMember(database, organizationId, userId);
  const [user] = items.map((item) => StoredUser.parse(item));
  if (!member || !user) throw dashboardError('MEMBER_NOT_FOUND');
  return { member, user };
}

const audited = (caller: Caller, action: string, member: StoredMember, details: Record<string, unknown>) => ({
  actor: caller,
  action,
  resourceType: 'organization',
  resourceId: member.organization_id,
  details: { user_id: member.user_id, ...details },
});
