import { hash } from 'node:crypto';
import type { Clock } from '../../../platform/clock.ts';
import { ConditionFailed, type Database, type Key } from '../../../platform/database/database.ts';
import { identityTable } from '../../identity-table.ts';
import { triesKey } from '../accounts-table.ts';
import { dashboardError } from '../dashboard-errors.ts';

const WINDOW_MS = 15 * 60_000;
/**
 * Tries in a window, in all from one network, for one user's address from one network, and for one user's address from everywhere. A
 * stranger who fails to sign in again and again must not lock the user out, so everywhere together more is allowed than from one network.
 * A mail with a token goes to the user whoever asks, so that everywhere counts as one.
 */
const LIMITS = { login: { ip: 20, emailFromIp: 5, email: 50 }, reset: { ip: 20, emailFromIp: 5, email: 5 } };
const table = identityTable.name;

export interface Tried {
  /** Takes the try back: it succeeded. */
  forgive(): Promise<void>;
}

/**
 * Counts a try before it is made, so that tries at the same time can't exceed the limit together. Throws RATE_LIMIT_EXCEEDED above it.
 * The counters expire with their window.
 */
export async function countTry(
  { database, clock }: { database: Database; clock: Clock },
  what: keyof typeof LIMITS,
  { email, ip }: { email: string; ip: string | undefined },
): Promise<Tried> {
  const nowMs = clock.nowMs();
  const window = Math.floor(nowMs / WINDOW_MS);
  const endsMs = (window + 1) * WINDOW_MS;
  const limits = LIMITS[what];
  const network = networkOf(ip);
  const address = hash('sha256', email).slice(0, 32);
  const counted = [
    { key: triesKey(`${what}-ip`, network, window), limit: limits.ip },
    { key: triesKey(`${what}-email-ip`, `${address}#${network}`, window), limit: limits.emailFromIp },
    { key: triesKey(`${what}-email`, address, window), limit: limits.email },
  ];
  const done: Key[] = [];
  const takeBack = async () => {
    await Promise.all(done.map((key) => database.write({ table, update: key, add: { tries: -1 } })));
  };
  for (const { key, limit } of counted) {
    const expires_at = Math.ceil(endsMs / 1000);
    try {
      await database.write({ table, update: key, set: { type: 'tries', expires_at }, add: { tries: 1 }, if: { below: { tries: limit } } });
      done.push(key);
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      await takeBack();
      const retryAfterSeconds = Math.max(1, Math.ceil((endsMs - nowMs) / 1000));
      throw dashboardError('RATE_LIMIT_EXCEEDED', { message: 'too many tries; wait before the next one', retryAfterSeconds });
    }
  }
  return { forgive: takeBack };
}

/** The address of a caller; of an IPv6 caller the first half, since everybody has 2^64 addresses with it. */
export function networkOf(ip = 'unknown'): string {
  if (!ip.includes(':')) return ip;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = '', tail = ''] = ip.split('::');
  const [front, back] = [head.split(':').filter(Boolean), tail.split(':').filter(Boolean)];
  const all = ip.includes('::')
    ? [...front, ...Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0'), ...back]
    : front;
  return all.slice(0, 4).join(':');
}
