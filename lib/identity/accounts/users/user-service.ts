import { timestamp } from '../../../platform/clock.ts';
import { findMembership } from '../../organizations/organization-repository.ts';
import type { AccountPorts, Caller } from '../account-ports.ts';
import { dashboardError } from '../dashboard-errors.ts';
import { changeUserWrite, findUser, type StoredUser } from './user.ts';

export async function getUser({ database }: AccountPorts, { principal }: Caller): Promise<StoredUser> {
  const user = await findUser(database, principal.user_id);
  if (!user) throw dashboardError('USER_NOT_FOUND');
  return user;
}

export interface UserChange {
  name?: string | undefined;
  avatar_url?: string | null | undefined;
  /** One of the user's organizations. */
  default_organization_id?: string | undefined;
}

export async function updateUser(
  ports: AccountPorts,
  caller: Caller,
  { name, avatar_url, default_organization_id }: UserChange,
): Promise<StoredUser> {
  const before = await getUser(ports, caller);
  if (default_organization_id !== undefined && !(await findMembership(ports.database, default_organization_id, before.id)))
    throw dashboardError('ORG_NOT_FOUND');
  const change = {
    ...(name !== undefined && { name }),
    ...(avatar_url !== undefined && { avatar_url }),
    ...(default_organization_id !== undefined && { default_organization_id }),
    updated_at: timestamp(ports.clock),
  };
  await ports.commit({
    writes: [{ ...changeUserWrite(before, change), orElse: () => dashboardError('VERSION_CONFLICT') }],
    audit: {
      actor: caller,
      action: 'user.updated',
      resourceType: 'user',
      resourceId: before.id,
      details: { changed: Object.keys(change) },
    },
  });
  ports.forgetSession(caller.principal.session_id);
  return { ...before, ...change };
}
