import { createBoundedCache } from '../../../platform/bounded-cache.ts';
import type { Clock } from '../../../platform/clock.ts';
import type { Database } from '../../../platform/database/database.ts';
import type { RequestFacts } from '../../../platform/http/request-facts.ts';
import type { UserPrincipal } from '../account-principals.ts';
import { dashboardError } from '../dashboard-errors.ts';
import type { AccessTokens } from './access-token.ts';
import { findSession, type SessionAndUser, sessionIsLive } from './session.ts';

export interface SessionAuthenticator {
  /** Throws for a missing, malformed, expired or revoked access token. */
  authenticate(request: Pick<RequestFacts, 'headers'>): Promise<UserPrincipal>;
  /** Makes this process read the session again, after its end or a change of its user. */
  forget(sessionId: string): void;
}

/** A session that ended in another process ends here after this time at the latest. */
const CACHE_MS = 5_000;
const REMEMBERED_SESSIONS = 10_000;

/** Reads session and user together, and keeps them for five seconds. */
export function createSessionAuthenticator(ports: { database: Database; clock: Clock; tokens: AccessTokens }): SessionAuthenticator {
  const { database, clock, tokens } = ports;
  const cache = createBoundedCache<{ found: SessionAndUser; until: number }>(REMEMBERED_SESSIONS);

  async function read(userId: string, sessionId: string): Promise<SessionAndUser | undefined> {
    const known = cache.get(sessionId);
    if (known && known.until > clock.monotonicMs() && known.found.user.id === userId) return known.found;
    // The time runs from before the read, which may return what was stored just before a change.
    const until = clock.monotonicMs() + CACHE_MS;
    const found = await findSession(database, userId, sessionId);
    if (found) cache.set(sessionId, { found, until });
    else cache.delete(sessionId);
    return found;
  }

  return {
    async authenticate({ headers }) {
      const token = bearerOf(headers.authorization);
      if (token === undefined) throw dashboardError('MISSING_CREDENTIALS');
      const { sub, sid, jti } = await tokens.verify(token);
      const found = await read(sub, sid);
      if (!found || !sessionIsLive(found.session, found.user, clock.nowMs())) throw dashboardError('TOKEN_REVOKED');
      const { user } = found;
      if (user.status !== 'active') throw dashboardError('ACCOUNT_INACTIVE');
      return {
        type: 'user',
        user_id: sub,
        email: user.email,
        session_id: sid,
        token_id: jti,
        default_organization_id: user.default_organization_id,
      };
    },
    forget: (sessionId) => cache.delete(sessionId),
  };
}

/** The token after `Bearer`, in upper or lower case. */
function bearerOf(header: string | undefined): string | undefined {
  return /^bearer +(\S+) *$/i.exec(header ?? '')?.[1];
}
