import { newUlid } from '../../../platform/ids.ts';
import { organizationAtFirst, withSlug } from '../../organizations/new-organization.ts';
import type { AccountPorts, Visitor } from '../account-ports.ts';
import { dashboardError } from '../dashboard-errors.ts';
import { startSession, type TokenPair, tokenPair } from '../sessions/sign-in.ts';
import { hashPassword } from './password.ts';
import { findUserByEmail, newUserWrites, type StoredUser } from './user.ts';

export interface Registration {
  email: string;
  name: string;
  password: string;
  organization_name?: string | undefined;
  device_info?: Record<string, unknown> | undefined;
}
export type Registered = TokenPair & { organization: { id: string; name: string; role: 'owner' } };

/** Makes the user, his organization with a first project, and a session: all of it or nothing. */
export async function register(ports: AccountPorts, visitor: Visitor, input: Registration): Promise<Registered> {
  const { email, name } = input;
  const organizationName = input.organization_name ?? `${name.slice(0, 85)}'s Organization`;
  // Found early, a taken address costs no scrypt. The transaction decides.
  if (await findUserByEmail(ports.database, email)) throw dashboardError('EMAIL_ALREADY_EXISTS', { details: { field: 'email' } });
  const password = await hashPassword(input.password);
  const nowMs = ports.clock.nowMs();
  const now = new Date(nowMs).toISOString();
  return withSlug(organizationName, undefined, nowMs, async (slug) => {
    const id = newUlid(nowMs);
    const { organization, project, writes } = organizationAtFirst({ name: organizationName, slug }, id, nowMs);
    const user: StoredUser = {
      id,
      email,
      name,
      avatar_url: null,
      created_at: now,
      updated_at: now,
      default_organization_id: organization.id,
      default_project_id: project.id,
      password,
      status: 'active',
      sessions_version: 1,
      last_login_at: now,
      version: 1,
    };
    const { session, refreshToken, writes: sessionWrites } = startSession(ports, user, visitor, input.device_info);
    const actor = { principal: { type: 'user' as const, user_id: id, email }, ...visitor };
    await ports.commit({
      writes: [...newUserWrites(user), ...writes, ...sessionWrites],
      audit: [
        { actor, action: 'user.registered', resourceType: 'user', resourceId: id },
        {
          actor,
          action: 'organization.created',
          resourceType: 'organization',
          resourceId: organization.id,
          details: { name: organization.name },
        },
      ],
    });
    const pair = await tokenPair(ports, user, session, refreshToken);
    return { ...pair, organization: { id: organization.id, name: organization.name, role: 'owner' as const } };
  });
}
