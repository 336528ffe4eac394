import { ConditionFailed } from '../../../platform/database/database.ts';
import { newToken, newUlid } from '../../../platform/ids.ts';
import type { AccountPorts, Visitor } from '../account-ports.ts';
import { dashboardError } from '../dashboard-errors.ts';
import {
  DAY_MS,
  endSessionWrite,
  findSessionOfToken,
  nextRefreshToken,
  REFRESH_DAYS,
  REUSE_GRACE_MS,
  refreshTokenHash,
  rotateSessionWrites,
  type SessionAndUser,
  sessionIsLive,
} from './session.ts';
import { type TokenPair, tokenPair } from './sign-in.ts';

/** Two requests with one token meet at most this often: the second one finds what the first one has stored. */
const ROUNDS = 3;

/**
 * Replaces a refresh token. A token that was replaced within the last ten seconds gives the same new pair again. An older one was stolen,
 * or its thief was faster: the session ends with all its tokens.
 */
export async function refresh(ports: AccountPorts, visitor: Visitor, token: string): Promise<TokenPair> {
  const hash = refreshTokenHash(token);
  if (hash === undefined) throw dashboardError('REFRESH_TOKEN_INVALID');
  for (let round = 0; round < ROUNDS; round++) {
    const nowMs = ports.clock.nowMs();
    const found = await findSessionOfToken(ports.database, hash);
    if (!found || !sessionIsLive(found.session, found.user, nowMs)) throw dashboardError('REFRESH_TOKEN_INVALID');
    const { session, user } = found;
    if (user.status !== 'active') throw dashboardError('ACCOUNT_INACTIVE');
    if (session.current_hash === hash) {
      const pair = await rotate(ports, found, token);
      if (pair) return pair;
      continue;
    }
    if (session.previous_hash === hash && nowMs <= session.previous_until_ms)
      return tokenPair(ports, user, session, nextRefreshToken(token, session.salt, ports.refreshSecret));
    await endFamily(ports, visitor, found);
    throw dashboardError('REFRESH_TOKEN_REUSED');
  }
  throw dashboardError('VERSION_CONFLICT');
}

/** Returns nothing if another request has just rotated or ended the session. */
async function rotate(ports: AccountPorts, { session, user }: SessionAndUser, token: string): Promise<TokenPair | undefined> {
  const nowMs = ports.clock.nowMs();
  const salt = newToken();
  const next = nextRefreshToken(token, salt, ports.refreshSecret);
  const after = {
    ...session,
    current_hash: refreshTokenHash(next) ?? '',
    previous_hash: session.current_hash,
    previous_until_ms: nowMs + REUSE_GRACE_MS,
    salt,
    token_id: newUlid(nowMs),
    issued_at: Math.floor(nowMs / 1000),
    last_used_at: new Date(nowMs).toISOString(),
    refresh_until_ms: nowMs + REFRESH_DAYS * DAY_MS,
  };
  try {
    await ports.commit({ writes: rotateSessionWrites(session, after), audit: { unaudited: 'a session goes on; its login has an entry' } });
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
    return undefined;
  }
  return tokenPair(ports, user, after, next);
}

async function endFamily(ports: AccountPorts, visitor: Visitor, { session, user }: SessionAndUser): Promise<void> {
  await ports.commit({
    writes: [endSessionWrite(session)],
    audit: {
      actor: { principal: { type: 'system' }, ...visitor },
      action: 'session.reuse_detected',
      resourceType: 'user',
      resourceId: user.id,
      details: { session_id: session.session_id },
    },
  });
  ports.forgetSession(session.session_id);
}
