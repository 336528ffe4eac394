import { createHmac } from 'node:crypto';
import * as z from 'zod';
import { newUlid, randomSecret } from '../../../platform/ids.ts';
import type { AccountPorts, Visitor } from '../account-ports.ts';
import type { StoredUser } from '../users/user.ts';
import { ACCESS_TOKEN_SECONDS } from './access-token.ts';
import { DAY_MS, newRefreshToken, newSessionWrites, REFRESH_DAYS, refreshTokenHash, SESSION_DAYS, type StoredSession } from './session.ts';

/** The answer to a login, a registration and a refresh. */
export const TokenPair = z
  .object({
    user: z.object({ id: z.string(), email: z.string(), name: z.string() }),
    token: z.string(),
    access_token: z.string().describe('The same as `token`'),
    refresh_token: z.string(),
    expires_in: z.int(),
    token_type: z.literal('Bearer'),
  })
  .meta({ id: 'TokenPair' });
export type TokenPair = z.infer<typeof TokenPair>;

export async function tokenPair(ports: AccountPorts, user: StoredUser, session: StoredSession, refreshToken: string): Promise<TokenPair> {
  const token = await ports.tokens.sign({
    sub: user.id,
    email: user.email,
    organization_id: user.default_organization_id,
    jti: session.token_id,
    sid: session.session_id,
    iat: session.issued_at,
  });
  return {
    user: { id: user.id, email: user.email, name: user.name },
    token,
    access_token: token,
    refresh_token: refreshToken,
    expires_in: ACCESS_TOKEN_SECONDS,
    token_type: 'Bearer',
  };
}

export type Device = Record<string, unknown> | undefined;

/** A new session of the user, with the writes that store it. */
export function startSession(ports: AccountPorts, user: StoredUser, visitor: Visitor, device: Device) {
  const nowMs = ports.clock.nowMs();
  const now = new Date(nowMs).toISOString();
  const refreshToken = newRefreshToken(randomSecret);
  const session: StoredSession = {
    session_id: newUlid(nowMs),
    user_id: user.id,
    live: true,
    sessions_version: user.sessions_version,
    current_hash: refreshTokenHash(refreshToken) ?? '',
    previous_hash: null,
    previous_until_ms: 0,
    salt: '',
    token_id: newUlid(nowMs),
    issued_at: Math.floor(nowMs / 1000),
    created_at: now,
    last_used_at: now,
    refresh_until_ms: nowMs + REFRESH_DAYS * DAY_MS,
    ends_at_ms: nowMs + SESSION_DAYS * DAY_MS,
    device: device ?? null,
    ip_hash: visitor.ip === undefined ? null : createHmac('sha256', ports.refreshSecret).update(visitor.ip).digest('hex').slice(0, 32),
    user_agent: visitor.userAgent?.slice(0, 256) ?? null,
  };
  return { session, refreshToken, writes: newSessionWrites(session) };
}
