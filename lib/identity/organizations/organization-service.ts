import { timestamp } from '../../platform/clock.ts';
import type { AccountPorts, Caller } from '../accounts/account-ports.ts';
import { dashboardError } from '../accounts/dashboard-errors.ts';
import { retryConflicts } from '../accounts/retry-conflicts.ts';
import { announceRemoval } from '../removal/account-removed.ts';
import { type NewOrganization, organizationAtFirst, withSlug } from './new-organization.ts';
import { ORGANIZATIONS_OF_A_USER, type Organization, type StoredMember, type StoredOrganization } from './organization.ts';
import {
  changeOrganizationWrite,
  findOrganization,
  listMemberships,
  removeMemberWrites,
  removeOrganizationWrites,
} from './organization-repository.ts';

export const publicOrganization = (organization: StoredOrganization, { role }: Pick<StoredMember, 'role'>): Organization => ({
  ...organization,
  role,
});

/** The organizations of the caller, in no order. */
export const listOrganizations = async ({ database }: AccountPorts, { principal }: Caller): Promise<Organization[]> =>
  (await listMemberships(database, principal.user_id)).map(({ organization, member }) => publicOrganization(organization, member));

/** Makes an organization with a first project. Its maker is its owner. */
export async function createOrganization(ports: AccountPorts, caller: Caller, input: NewOrganization): Promise<Organization> {
  const { user_id } = caller.principal;
  // Only his own count: others may add him to theirs without asking.
  const owned = (await listMemberships(ports.database, user_id)).filter(({ member }) => member.role === 'owner');
  if (owned.length >= ORGANIZATIONS_OF_A_USER)
    throw dashboardError('LIMIT_REACHED', { message: `a user owns at most ${ORGANIZATIONS_OF_A_USER} organizations` });
  const nowMs = ports.clock.nowMs();
  return withSlug(input.name, input.slug, nowMs, async (slug) => {
    const { organization, writes } = organizationAtFirst({ ...input, slug }, user_id, nowMs);
    const answer = publicOrganization(organization, { role: 'owner' });
    await ports.commit({ writes, answer, audit: audited(caller, 'organization.created', organization) });
    return answer;
  });
}

export const updateOrganization = (
  ports: AccountPorts,
  caller: Caller,
  { id }: StoredOrganization,
  change: { name?: string | undefined; description?: string | null | undefined },
): Promise<StoredOrganization> =>
  retryConflicts(async () => {
    const before = await existing(ports, id);
    const { name = before.name, description = before.description } = change;
    const set = { name, description, updated_at: timestamp(ports.clock) };
    await ports.commit({ writes: [changeOrganizationWrite(before, set)], audit: audited(caller, 'organization.updated', before) });
    return { ...before, ...set };
  });

/**
 * Removes an organization. From then on none of its projects and members is found, and its keys are refused within five seconds. What
 * it leaves is cleared away within minutes.
 */
export const removeOrganization = (ports: AccountPorts, caller: Caller, id: string, owner: StoredMember): Promise<void> =>
  retryConflicts(async () => {
    const before = await existing(ports, id);
    await ports.commit({
      writes: [...removeOrganizationWrites(before), ...removeMemberWrites(owner)],
      audit: audited(caller, 'organization.deleted', before),
      events: [announceRemoval({ kind: 'organization', organization_id: id })],
    });
  });

async function existing({ database }: AccountPorts, id: string): Promise<StoredOrganization> {
  const organization = await findOrganization(database, id);
  if (!organization) throw dashboardError('ORG_NOT_FOUND');
  return organization;
}

const audited = (caller: Caller, action: string, { id, name }: StoredOrganization) => ({
  actor: caller,
  action,
  resourceType: 'organization',
  resourceId: id,
  details: { name },
});
