import { timestamp } from '../../../platform/clock.ts';
import { identityTable } from '../../identity-table.ts';
import type { AccountPorts, Visitor } from '../account-ports.ts';
import { userKey } from '../accounts-table.ts';
import { dashboardError } from '../dashboard-errors.ts';
import { isPassword } from '../users/password.ts';
import { findUserByEmail } from '../users/user.ts';
import { startSession, type TokenPair, tokenPair } from './sign-in.ts';
import { countTry } from './tries.ts';

export interface Credentials {
  email: string;
  password: string;
  device_info?: Record<string, unknown> | undefined;
}

/** Starts a session. An unknown address and a wrong password get the same answer in the same time. */
export async function login(ports: AccountPorts, visitor: Visitor, { email, password, device_info }: Credentials): Promise<TokenPair> {
  const tried = await countTry(ports, 'login', { email, ip: visitor.ip });
  const user = await findUserByEmail(ports.database, email);
  if (!(await isPassword(password, user?.password)) || !user) throw dashboardError('INVALID_CREDENTIALS');
  if (user.status !== 'active') throw dashboardError('ACCOUNT_INACTIVE');
  const { session, refreshToken, writes } = startSession(ports, user, visitor, device_info);
  await ports.commit({
    writes: [
      ...writes,
      {
        table: identityTable.name,
        update: userKey(user.id),
        set: { last_login_at: timestamp(ports.clock) },
        // A session that started before a reset of the password must not outlive it.
        if: { equals: { sessions_version: user.sessions_version } },
        orElse: () => dashboardError('INVALID_CREDENTIALS'),
      },
    ],
    audit: {
      actor: { principal: { type: 'user', user_id: user.id, email }, ...visitor },
      action: 'auth.login',
      resourceType: 'user',
      resourceId: user.id,
      details: { session_id: session.session_id },
    },
  });
  await tried.forgive();
  return tokenPair(ports, user, session, refreshToken);
}
