import { hash } from 'node:crypto';
import { newUlid, randomSecret } from '../../platform/ids.ts';
import type { AccountPorts, Caller } from '../accounts/account-ports.ts';
import { dashboardError } from '../accounts/dashboard-errors.ts';
import { retryConflicts } from '../accounts/retry-conflicts.ts';
import { type Role, roleMay } from '../accounts/roles.ts';
import {
  findInvitationOfToken,
  type Invitation,
  listInvitations,
  newInvitationWrites,
  publicInvitation,
  removeInvitationWrites,
  type StoredInvitation,
} from './invitation.ts';
import { actingIn, checkOwnership, mayDecideOn, stillMember } from './member-service.ts';
import type { Organization, StoredMember } from './organization.ts';
import { addMemberWrites, checkRoom, checkRoomForUser, countWrite, findMember, findOrganization } from './organization-repository.ts';
import { publicOrganization } from './organization-service.ts';

const VALID_MS = 7 * 86_400_000;

export async function listLiveInvitations({ database, clock }: AccountPorts, organizationId: string): Promise<Invitation[]> {
  return (await listInvitations(database, organizationId)).filter(({ ends_at_ms }) => ends_at_ms > clock.nowMs()).map(publicInvitation);
}

/** Invites an address that has no account. A second invitation of an address replaces the first one, and so do all that have ended. */
export async function inviteAddress(
  ports: AccountPorts,
  caller: Caller,
  organizationId: string,
  email: string,
  role: Role,
): Promise<Invitation> {
  const token = Buffer.from(randomSecret(32)).toString('hex');
  const { invitation, name } = await retryConflicts(async () => {
    const { organization, own, stillSo } = await actingIn(ports, caller, organizationId, 'members:invite');
    checkOwnership(own, role);
    const nowMs = ports.clock.nowMs();
    const replaced = (await listInvitations(ports.database, organizationId))
      .filter((one) => one.email === email || one.ends_at_ms <= nowMs)
      .slice(0, 20);
    checkRoom({ ...organization, invitations: organization.invitations - replaced.length }, 'invitations');
    const invitation: StoredInvitation = {
      id: newUlid(nowMs),
      organization_id: organizationId,
      email,
      role,
      invited_by: caller.principal.user_id,
      created_at: new Date(nowMs).toISOString(),
      ends_at_ms: nowMs + VALID_MS,
      token_hash: hash('sha256', token),
    };
    const change = 1 - replaced.length;
    await ports.commit({
      writes: [
        ...newInvitationWrites(invitation),
        ...replaced.flatMap(removeInvitationWrites),
        ...(change === 0 ? [] : [countWrite(organization, { invitations: change })]),
        stillSo,
      ],
      audit: audited(caller, 'invitation.created', invitation),
    });
    return { invitation, name: organization.name };
  });
  const link = ports.publicUrl === undefined ? [] : ['', `${ports.publicUrl.replace(/\/$/, '')}/invitations#token=${token}`];
  await ports.mail.send({
    to: email,
    subject: `Join ${name}`,
    text: [
      `${caller.principal.email} invites you to the organization ${name}, as ${role}.`,
      'Register with this address and accept the invitation within seven days. Its token:',
      '',
      token,
      ...link,
    ].join('\n'),
  });
  return publicInvitation(invitation);
}

export const withdrawInvitation = (ports: AccountPorts, caller: Caller, organizationId: string, id: string): Promise<void> =>
  retryConflicts(async () => {
    const { organization, stillSo } = await actingIn(ports, caller, organizationId, 'members:invite');
    const invitation = (await listInvitations(ports.database, organizationId)).find((one) => one.id === id);
    if (!invitation) throw dashboardError('INVITATION_NOT_FOUND');
    await ports.commit({
      writes: [...removeInvitationWrites(invitation), countWrite(organization, { invitations: -1 }), stillSo],
      audit: audited(caller, 'invitation.withdrawn', invitation),
    });
  });

/** The sender of an invitation, if he could send it now, too. */
async function allowedSender({ database }: AccountPorts, { organization_id, invited_by, role }: StoredInvitation) {
  const sender = await findMember(database, organization_id, invited_by);
  return sender && roleMay(sender.role, 'members:invite') && mayDecideOn(sender.role, role) ? sender : undefined;
}

/** Makes the caller a member. The invitation is for his address alone, works once, and ends with its sender's right to send it. */
export async function acceptInvitation(ports: AccountPorts, caller: Caller, token: string): Promise<Organization> {
  const missing = () => dashboardError('INVITATION_NOT_FOUND');
  if (!/^[0-9a-f]{64}$/.test(token)) throw missing();
  return retryConflicts(async () => {
    const { user_id, email } = caller.principal;
    const invitation = await findInvitationOfToken(ports.database, hash('sha256', token));
    const organization = invitation && (await findOrganization(ports.database, invitation.organization_id));
    if (!organization || invitation.ends_at_ms <= ports.clock.nowMs() || invitation.email !== email) throw missing();
    const sender = await allowedSender(ports, invitation);
    if (!sender) throw missing();
    if (await findMember(ports.database, organization.id, user_id)) throw dashboardError('ALREADY_A_MEMBER');
    checkRoom(organization, 'members');
    await checkRoomForUser(ports.database, user_id);
    const member: StoredMember = {
      organization_id: organization.id,
      user_id,
      role: invitation.role,
      joined_at: new Date(ports.clock.nowMs()).toISOString(),
    };
    await ports.commit({
      writes: [...removeInvitationWrites(invitation), ...addMemberWrites(organization, member, { invitations: -1 }), stillMember(sender)],
      audit: audited(caller, 'invitation.accepted', invitation),
    });
    return publicOrganization(organization, member);
  });
}

const audited = (caller: Caller, action: string, { id, organization_id, email, role }: StoredInvitation) => ({
  actor: caller,
  action,
  resourceType: 'organization',
  resourceId: organization_id,
  details: { invitation_id: id, email, role },
});
