import * as z from 'zod';
import { Description, Email, nameOf, Slug, Ulid } from '../../lib/identity/accounts/account-schemas.ts';
import { invalidField } from '../../lib/identity/accounts/dashboard-errors.ts';
import { findUserByEmail, UserProfile } from '../../lib/identity/accounts/users/user.ts';
import { getUser, updateUser } from '../../lib/identity/accounts/users/user-service.ts';
import { Invitation } from '../../lib/identity/organizations/invitation.ts';
import {
  acceptInvitation,
  inviteAddress,
  listLiveInvitations,
  withdrawInvitation,
} from '../../lib/identity/organizations/invitation-service.ts';
import { addMember, changeRole, listMembersWithNames, Member, removeMember } from '../../lib/identity/organizations/member-service.ts';
import { MemberRole, Organization } from '../../lib/identity/organizations/organization.ts';
import {
  createOrganization,
  listOrganizations,
  publicOrganization,
  removeOrganization,
  updateOrganization,
} from '../../lib/identity/organizations/organization-service.ts';
import { reply } from '../../lib/platform/http/endpoint.ts';
import {
  API,
  callerOf,
  dashboardEndpoint,
  dashboardFunction,
  inOrganization,
  NoMembers,
  OrganizationParams,
  once,
  optionalJson,
  signedIn,
} from './dashboard-endpoint.ts';
import { PageQuery, pagedAnswer, SearchQuery } from './paged-answer.ts';

const users = 'accounts';
const tag = 'organizations';
const Name = nameOf(2, 100);

const NewOrganization = z.object({ name: Name, slug: Slug.optional(), description: Description.nullish() }).meta({ id: 'NewOrganization' });
const OrganizationChange = z
  .object({ name: Name.optional(), description: Description.nullish() })
  .refine((change) => Object.values(change).some((value) => value !== undefined), 'must change something')
  .meta({ id: 'OrganizationChange' });
const Avatar = z
  .url({ protocol: /^https$/, error: 'must be an https:// address' })
  .max(2_048)
  .nullable();
const UserChange = z
  .object({
    name: nameOf(1, 200).optional(),
    avatar_url: Avatar.optional(),
    default_organization_id: Ulid.optional(),
    email: z.unknown().optional(),
  })
  .meta({ id: 'UserChange' });
const NewMember = z.object({ email: Email, role: MemberRole }).meta({ id: 'NewMember' });
const MemberParams = OrganizationParams.extend({ user_id: Ulid });
const InvitationParams = OrganizationParams.extend({ invitation_id: Ulid });

export const organizationEndpoints = [
  dashboardEndpoint({
    id: 'get_me',
    method: 'GET',
    path: `${API}/users/me`,
    summary: 'Fetch your own profile',
    tag: users,
    access: signedIn,
    status: 200,
    response: UserProfile,
    handle: (context) => getUser(context.services, callerOf(context)),
  }),
  dashboardEndpoint({
    id: 'update_me',
    method: 'PATCH',
    alsoBy: ['PUT'],
    path: `${API}/users/me`,
    summary: 'Change your own profile',
    description:
      'Changes the members that are given. The e-mail address stays as it is. The default organization is the one that a request without one means.',
    tag: users,
    access: signedIn,
    body: UserChange,
    status: 200,
    response: UserProfile,
    errors: ['VERSION_CONFLICT'],
    handle: (context, { body: { email, ...change } }) => {
      if (email !== undefined && email !== context.principal.email) throw invalidField('email', 'cannot be changed');
      if (Object.values(change).every((value) => value === undefined)) throw invalidField('body', 'must change something');
      return updateUser(context.services, callerOf(context), change);
    },
  }),
  dashboardEndpoint({
    id: 'list_organizations',
    method: 'GET',
    path: `${API}/organizations`,
    summary: 'List your organizations',
    tag,
    access: signedIn,
    query: SearchQuery,
    status: 200,
    response: z.array(Organization),
    handle: async (context, { query }) => pagedAnswer(await listOrganizations(context.services, callerOf(context)), query),
  }),
  dashboardEndpoint({
    id: 'create_organization',
    method: 'POST',
    path: `${API}/organizations`,
    summary: 'Create an organization',
    description: 'You become its owner. It has one project, called Default. Takes an `Idempotency-Key`.',
    tag,
    access: signedIn,
    body: NewOrganization,
    status: 201,
    response: Organization,
    errors: ['NAME_ALREADY_EXISTS', 'LIMIT_REACHED', 'IDEMPOTENCY_CONFLICT'],
    async handle(context, { body }) {
      const made = await once(context, body, (services) => createOrganization(services, callerOf(context), body));
      return reply({ body: made, headers: { location: `${API}/organizations/${made.id}` } });
    },
  }),
  dashboardEndpoint({
    id: 'get_organization',
    method: 'GET',
    path: `${API}/organizations/{org_id}`,
    summary: 'Fetch an organization',
    tag,
    ...inOrganization('organizations:read'),
    params: OrganizationParams,
    status: 200,
    response: Organization,
    errors: ['ORG_NOT_FOUND'],
    handle: async (_context, { authorized: { organization, member } }) => publicOrganization(organization, member),
  }),
  dashboardEndpoint({
    id: 'update_organization',
    method: 'PATCH',
    alsoBy: ['PUT'],
    path: `${API}/organizations/{org_id}`,
    summary: 'Change an organization',
    tag,
    ...inOrganization('organizations:write'),
    params: OrganizationParams,
    body: OrganizationChange,
    status: 200,
    response: Organization,
    errors: ['ORG_NOT_FOUND', 'VERSION_CONFLICT'],
    handle: async (context, { body, authorized: { organization, member } }) =>
      publicOrganization(await updateOrganization(context.services, callerOf(context), organization, body), member),
  }),
  dashboardEndpoint({
    id: 'delete_organization',
    method: 'DELETE',
    path: `${API}/organizations/{org_id}`,
    summary: 'Delete an organization with its projects',
    description: 'Its keys are refused within five seconds.',
    tag,
    ...inOrganization('organizations:delete'),
    params: OrganizationParams,
    status: 204,
    errors: ['ORG_NOT_FOUND', 'VERSION_CONFLICT'],
    handle: (context, { params, authorized: { member } }) => removeOrganization(context.services, callerOf(context), params.org_id, member),
  }),
  dashboardEndpoint({
    id: 'list_members',
    method: 'GET',
    path: `${API}/organizations/{org_id}/members`,
    summary: 'List the members',
    tag,
    ...inOrganization('members:read'),
    params: OrganizationParams,
    query: PageQuery,
    status: 200,
    response: z.array(Member),
    errors: ['ORG_NOT_FOUND'],
    handle: async (context, { params, query }) => pagedAnswer(await listMembersWithNames(context.services, params.org_id), query),
  }),
  dashboardEndpoint({
    id: 'add_member',
    method: 'POST',
    path: `${API}/organizations/{org_id}/members`,
    summary: 'Add a member, or invite an address',
    description:
      'A user with this address is a member at once (201). Another address gets an invitation by mail, valid for seven days (202). Only an owner adds owners.',
    tag,
    ...inOrganization('members:invite'),
    params: OrganizationParams,
    body: NewMember,
    status: 201,
    response: z.union([Member, Invitation]),
    errors: ['ORG_NOT_FOUND', 'ALREADY_A_MEMBER', 'LIMIT_REACHED', 'VERSION_CONFLICT'],
    async handle(context, { params, body: { email, role } }) {
      const { services } = context;
      const user = await findUserByEmail(services.database, email);
      if (user) return addMember(services, callerOf(context), params.org_id, user, role);
      return reply({ status: 202, body: await inviteAddress(services, callerOf(context), params.org_id, email, role) });
    },
  }),
  dashboardEndpoint({
    id: 'update_member',
    method: 'PATCH',
    alsoBy: ['PUT'],
    path: `${API}/organizations/{org_id}/members/{user_id}`,
    summary: "Change a member's role",
    description: 'Only an owner makes owners or takes their role. The last owner stays one.',
    tag,
    ...inOrganization('roles:write'),
    params: MemberParams,
    body: z.object({ role: MemberRole }).meta({ id: 'MemberChange' }),
    status: 200,
    response: Member,
    errors: ['ORG_NOT_FOUND', 'MEMBER_NOT_FOUND', 'LAST_OWNER', 'VERSION_CONFLICT'],
    handle: (context, { params, body }) => changeRole(context.services, callerOf(context), params.org_id, params.user_id, body.role),
  }),
  dashboardEndpoint({
    id: 'remove_member',
    method: 'DELETE',
    path: `${API}/organizations/{org_id}/members/{user_id}`,
    summary: 'Remove a member, or leave',
    description: 'An owner removes others; every member may leave. The last owner can’t be removed.',
    tag,
    // The verb checks members:remove, since everybody may remove himself.
    ...inOrganization('organizations:read'),
    params: MemberParams,
    status: 204,
    errors: ['ORG_NOT_FOUND', 'MEMBER_NOT_FOUND', 'LAST_OWNER', 'VERSION_CONFLICT', 'INSUFFICIENT_PERMISSIONS'],
    handle: (context, { params }) => removeMember(context.services, callerOf(context), params.org_id, params.user_id),
  }),
  dashboardEndpoint({
    id: 'list_invitations',
    method: 'GET',
    path: `${API}/organizations/{org_id}/invitations`,
    summary: 'List the open invitations',
    tag,
    ...inOrganization('members:read'),
    params: OrganizationParams,
    query: PageQuery,
    status: 200,
    response: z.array(Invitation),
    errors: ['ORG_NOT_FOUND'],
    handle: async (context, { params, query }) => pagedAnswer(await listLiveInvitations(context.services, params.org_id), query),
  }),
  dashboardEndpoint({
    id: 'delete_invitation',
    method: 'DELETE',
    path: `${API}/organizations/{org_id}/invitations/{invitation_id}`,
    summary: 'Withdraw an invitation',
    tag,
    ...inOrganization('members:invite'),
    params: InvitationParams,
    status: 204,
    errors: ['ORG_NOT_FOUND', 'INVITATION_NOT_FOUND', 'VERSION_CONFLICT'],
    handle: (context, { params }) => withdrawInvitation(context.services, callerOf(context), params.org_id, params.invitation_id),
  }),
  dashboardEndpoint({
    id: 'accept_invitation',
    method: 'POST',
    path: `${API}/invitations/{token}/accept`,
    summary: 'Accept an invitation',
    description: 'Takes the token of the mail. The invitation is for the address that it was sent to, and works once.',
    tag,
    access: signedIn,
    params: z.object({ token: z.string().max(200) }),
    body: NoMembers,
    bodyFormat: optionalJson,
    status: 200,
    response: Organization,
    errors: ['INVITATION_NOT_FOUND', 'ALREADY_A_MEMBER', 'LIMIT_REACHED', 'VERSION_CONFLICT'],
    handle: (context, { params }) => acceptInvitation(context.services, callerOf(context), params.token),
  }),
];
export const handler = dashboardFunction(organizationEndpoints);
