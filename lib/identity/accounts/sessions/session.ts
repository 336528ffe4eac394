import { createHmac, hash } from 'node:crypto';
import * as z from 'zod';
import { base62 } from '../../../platform/base62.ts';
import type { Database, Item, Write } from '../../../platform/database/database.ts';
import { identityTable } from '../../identity-table.ts';
import { refreshKey, sessionKey, sessionPrefix, userKey, userPk } from '../accounts-table.ts';
import { StoredUser } from '../users/user.ts';

/** A session that isn't refreshed for this long ends. */
export const REFRESH_DAYS = 7;
/** No session lasts longer, however often it is refreshed. */
export const SESSION_DAYS = 30;
/** A refresh token that was just replaced still gives the pair that replaced it: two tabs, or a retry after a lost answer. */
export const REUSE_GRACE_MS = 10_000;
export const DAY_MS = 86_400_000;

/** One login. Each refresh replaces its token; all tokens of the session are one family. */
export const StoredSession = z.object({
  session_id: z.string(),
  user_id: z.string(),
  live: z.boolean(),
  sessions_version: z.int(),
  current_hash: z.string(),
  previous_hash: z.string().nullable(),
  previous_until_ms: z.number(),
  /** Together with the token before, it gives the current one; see `nextRefreshToken`. */
  salt: z.string(),
  /** Of the current access token. */
  token_id: z.string(),
  issued_at: z.int(),
  created_at: z.iso.datetime(),
  last_used_at: z.iso.datetime(),
  refresh_until_ms: z.number(),
  ends_at_ms: z.number(),
  device: z.record(z.string(), z.unknown()).nullable(),
  /** The address itself is nobody's business later on. */
  ip_hash: z.string().nullable(),
  user_agent: z.string().nullable(),
});
export type StoredSession = z.infer<typeof StoredSession>;

const table = identityTable.name;
const REFRESH_TOKEN = /^rt_[A-Za-z0-9]{43}$/;

export const newRefreshToken = (random: (bytes: number) => Uint8Array): string => `rt_${base62(43, random)}`;

/**
 * The token that follows a token. It is computed rather than drawn, so that it can be given again within the grace time, although the
 * store keeps only its hash. Without the secret and the salt nobody can compute it.
 */
export function nextRefreshToken(token: string, salt: string, secret: Uint8Array): string {
  let round = 0;
  return `rt_${base62(43, () => createHmac('sha512', secret).update(`${round++} ${salt} ${token}`).digest())}`;
}

/** The hash under which a well-formed token is stored; undefined for any other text, so that it costs no read. */
export const refreshTokenHash = (token: string): string | undefined => (REFRESH_TOKEN.test(token) ? hash('sha256', token) : undefined);

export const sessionIsLive = (session: StoredSession, user: StoredUser, nowMs: number): boolean =>
  session.live && session.sessions_version === user.sessions_version && nowMs < session.refresh_until_ms && nowMs < session.ends_at_ms;

const expiry = ({ ends_at_ms }: StoredSession) => Math.ceil(ends_at_ms / 1000);
const refreshWrite = (session: StoredSession): Write => ({
  table,
  put: {
    ...refreshKey(session.current_hash),
    type: 'refresh-token',
    user_id: session.user_id,
    session_id: session.session_id,
    expires_at: expiry(session),
  } as Item,
});
const sessionItem = (session: StoredSession): Item => ({
  ...sessionKey(session.user_id, session.session_id),
  type: 'session',
  ...session,
  expires_at: expiry(session),
});

export const newSessionWrites = (session: StoredSession): Write[] => [
  { table, put: sessionItem(session), if: { exists: false } },
  refreshWrite(session),
];

/** The writes that store the session's next token. They fail if another request has rotated or ended it. */
export const rotateSessionWrites = (before: StoredSession, after: StoredSession): Write[] => [
  { table, put: sessionItem(after), if: { equals: { current_hash: before.current_hash, live: true } } },
  refreshWrite(after),
];

export const endSessionWrite = ({ user_id, session_id }: Pick<StoredSession, 'user_id' | 'session_id'>): Write => ({
  table,
  update: sessionKey(user_id, session_id),
  set: { live: false },
  if: { exists: true },
});

/** A session together with its user, as of one read. */
export interface SessionAndUser {
  session: StoredSession;
  user: StoredUser;
}

export async function findSession(database: Database, userId: string, sessionId: string): Promise<SessionAndUser | undefined> {
  const items = await database.batchGet(table, [userKey(userId), sessionKey(userId, sessionId)]);
  const user = items.find(({ sk }) => sk === 'USER');
  const session = items.find(({ sk }) => sk.startsWith(sessionPrefix));
  return user && session && { user: StoredUser.parse(user), session: StoredSession.parse(session) };
}

export async function findSessionOfToken(database: Database, tokenHash: string): Promise<SessionAndUser | undefined> {
  const pointer = await database.get(table, refreshKey(tokenHash));
  if (!pointer) return undefined;
  const { user_id, session_id } = z.object({ user_id: z.string(), session_id: z.string() }).parse(pointer);
  return findSession(database, user_id, session_id);
}

const LISTED = 100;
/** The newest sessions of a user, ended ones among them. */
export async function listSessions(database: Database, userId: string): Promise<StoredSession[]> {
  const { items } = await database.query(table, { pk: userPk(userId), prefix: sessionPrefix, descending: true, limit: LISTED });
  return items.map((item) => StoredSession.parse(item));
}
