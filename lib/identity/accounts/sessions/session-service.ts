import * as z from 'zod';
import { identityTable } from '../../identity-table.ts';
import type { AccountPorts, Caller } from '../account-ports.ts';
import { userKey } from '../accounts-table.ts';
import { dashboardError } from '../dashboard-errors.ts';
import { findUser } from '../users/user.ts';
import { endSessionWrite, findSession, listSessions, sessionIsLive } from './session.ts';

const time = z.iso.datetime();
export const Session = z
  .object({
    id: z.string(),
    created_at: time,
    last_used_at: time,
    expires_at: time,
    device_info: z.record(z.string(), z.unknown()).nullable(),
    user_agent: z.string().nullable(),
    /** The session of this very request. */
    current: z.boolean(),
  })
  .meta({ id: 'Session' });
export type Session = z.infer<typeof Session>;

/** The caller's live sessions, newest first. */
export async function listLiveSessions({ database, clock }: AccountPorts, { principal }: Caller): Promise<Session[]> {
  const [user, sessions] = await Promise.all([findUser(database, principal.user_id), listSessions(database, principal.user_id)]);
  const nowMs = clock.nowMs();
  return sessions.flatMap((session) =>
    user && sessionIsLive(session, user, nowMs)
      ? [
          {
            id: session.session_id,
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            expires_at: new Date(Math.min(session.refresh_until_ms, session.ends_at_ms)).toISOString(),
            device_info: session.device,
            user_agent: session.user_agent,
            current: session.session_id === principal.session_id,
          },
        ]
      : [],
  );
}

/** Ends one of the caller's sessions with all its tokens: here at once, elsewhere within five seconds. */
export async function endSession(ports: AccountPorts, caller: Caller, sessionId: string, action = 'session.revoked'): Promise<void> {
  const { user_id } = caller.principal;
  const found = await findSession(ports.database, user_id, sessionId);
  if (!found || !sessionIsLive(found.session, found.user, ports.clock.nowMs())) throw dashboardError('SESSION_NOT_FOUND');
  await ports.commit({
    writes: [endSessionWrite(found.session)],
    audit: { actor: caller, action, resourceType: 'user', resourceId: user_id, details: { session_id: sessionId } },
  });
  ports.forgetSession(sessionId);
}

/** Ends all sessions of the caller by one write, this one included. */
export async function endAllSessions(ports: AccountPorts, caller: Caller): Promise<void> {
  const { user_id, session_id } = caller.principal;
  await ports.commit({
    writes: [{ table: identityTable.name, update: userKey(user_id), add: { sessions_version: 1, version: 1 }, if: { exists: true } }],
    audit: { actor: caller, action: 'session.all_revoked', resourceType: 'user', resourceId: user_id },
  });
  ports.forgetSession(session_id);
}
