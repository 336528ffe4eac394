import { createBoundedCache } from '../../platform/bounded-cache.ts';
import type { Clock } from '../../platform/clock.ts';
import { ConditionFailed, type Database } from '../../platform/database/database.ts';
import { AppError, isAppError } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import { rateKey, usageTable } from '../usage-table.ts';
import type { LimitState } from './limits.ts';

export interface RateLimitPorts {
  database: Database;
  clock: Pick<Clock, 'nowMs'>;
  log: Pick<Log, 'warn'>;
  /** How many subjects are remembered. A forgotten one only leases again. */
  capacity?: number;
}

export interface AdmitOptions {
  /** What happens while the store can't be asked: `open` lets the call pass, uncounted and marked; `closed` refuses it with 503. */
  withoutStore: 'open' | 'closed';
}

export interface RateLimits {
  /** Counts one call of a subject in this window, or throws `rate_limited`; for months `quota_exceeded`. */
  admit(subject: string, limit: number, options: AdmitOptions): Promise<LimitState>;
}

/** The time that a limit is for. */
export interface LimitWindow {
  /** The window in which a time lies: the minute in which it begins, and its end. */
  at(nowMs: number): { minute: number; endsAtMs: number };
  /** So many calls an instance leases at once. What it doesn't spend is lost with the window, or with the instance. */
  share(limit: number): number;
  refuse(state: LimitState, nowMs: number): AppError;
}

const MINUTE_MS = 60_000;
const KEPT_SECONDS = 300;

const MINUTES: LimitWindow = {
  at(nowMs) {
    const minute = Math.floor(nowMs / MINUTE_MS);
    return { minute, endsAtMs: (minute + 1) * MINUTE_MS };
  },
  share: (limit) => Math.max(1, Math.floor(limit / 20)),
  refuse: (state, nowMs) => rateLimited(state, nowMs),
};

/** Calendar months, UTC. */
export const MONTHS: LimitWindow = {
  at(nowMs) {
    const now = new Date(nowMs);
    const [year, month] = [now.getUTCFullYear(), now.getUTCMonth()];
    return { minute: Date.UTC(year, month) / MINUTE_MS, endsAtMs: Date.UTC(year, month + 1) };
  },
  // An instance that ends in the middle of the month takes its rest with it.
  share: (limit) => Math.min(25, Math.max(1, Math.floor(limit / 1_000))),
  refuse: ({ limit, resets_at_ms }, nowMs) =>
    new AppError('quota_exceeded', `the ${limit} requests a month of your plan are used up`, {
      details: { reason: 'monthly_requests_exceeded', limit, resets_at: new Date(resets_at_ms).toISOString() },
      retryAfterSeconds: Math.ceil((resets_at_ms - nowMs) / 1_000),
    }),
};
const MAX_SUBJECTS = 20_000;
/** A lease is halved at most this often: limits end at a million. */
const MAX_ATTEMPTS = 18;

/** One subject in one window, as this instance knows it. */
interface Window {
  minute: number;
  endsAtMs: number;
  /** Leased and not spent. */
  left: number;
  /** All leases of all instances, as of this instance's last look. It only rises. */
  used: number;
  leasing: Promise<void> | undefined;
}

/**
 * Limits for aligned minutes, or months, exact over any number of instances: an instance leases some calls of a window by one conditional update,
 * and spends them in its memory. The sum of all leases never passes the limit. What an instance has leased and not spent is lost with the window,
 * so a limit is used up to about one lease of each instance.
 */
export function createRateLimits({ database, clock, log, capacity = MAX_SUBJECTS }: RateLimitPorts, time = MINUTES): RateLimits {
  const windows = createBoundedCache<Window>(capacity);

  function windowOf(subject: string): Window {
    const now = time.at(clock.nowMs());
    const known = windows.get(subject);
    if (known?.minute === now.minute) return known;
    const fresh = { ...now, left: 0, used: 0, leasing: undefined };
    windows.set(subject, fresh);
    return fresh;
  }

  /** Leases some calls, fewer where fewer remain. Afterwards either some are left, or the limit is used up. */
  async function lease(subject: string, window: Window, limit: number): Promise<void> {
    let share = time.share(limit);
    const key = rateKey(subject, window.minute);
    const expires_at = Math.ceil(window.endsAtMs / 1_000) + KEPT_SECONDS;
    for (let attempt = 1; attempt <= MAX_ATTEMPTS && window.used < limit; attempt++) {
      const count = Math.min(share, limit - window.used);
      try {
        const condition = { below: { used: limit - count + 1 } };
        const item = await database.write({
          table: usageTable.name,
          update: key,
          add: { used: count },
          set: { expires_at },
          if: condition,
        });
        window.used = Number(item?.used);
        window.left += count;
        return;
      } catch (error) {
        if (!(error instanceof ConditionFailed)) throw error;
        // So many don't remain. Half of them may; if not even one does, the limit is used up.
        if (count === 1) window.used = limit;
        share = Math.max(1, Math.floor(count / 2));
      }
    }
  }

  const stateOf = (window: Window, limit: number): LimitState => ({
    limit,
    remaining: Math.max(0, limit - window.used + window.left),
    resets_at_ms: window.endsAtMs,
  });

  return {
    async admit(subject, limit, { withoutStore }) {
      const window = windowOf(subject);
      while (window.left === 0 && window.used < limit) {
        try {
          window.leasing ??= lease(subject, window, limit).finally(() => {
            window.leasing = undefined;
          });
          const usedBefore = window.used;
          await window.leasing;
          // Nothing was leased although some calls remained: too many instances lease at once.
          if (window.left === 0 && window.used === usedBefore) break;
        } catch (error) {
          if (!isAppError(error) || error.kind !== 'unavailable') throw error;
          if (withoutStore === 'closed') throw error;
          log.warn('rate_limit_unchecked', { subject, error });
          return { ...stateOf(window, limit), unchecked: true };
        }
      }
      if (window.left === 0) throw time.refuse(stateOf(window, limit), clock.nowMs());
      window.left -= 1;
      return stateOf(window, limit);
    },
  };
}

/** The refusal of a call beyond a limit of a minute. */
export function rateLimited(state: LimitState, nowMs: number, what = 'requests'): AppError {
  const retry_after_ms = Math.max(1, state.resets_at_ms - nowMs);
  return new AppError('rate_limited', `the limit of ${state.limit} ${what} a minute is reached`, {
    details: { limit: state.limit, remaining: state.remaining, resets_at: new Date(state.resets_at_ms).toISOString(), retry_after_ms },
    retryAfterSeconds: Math.ceil(retry_after_ms / 1_000),
  });
}

/** The state of the limit that a refusal tells of; undefined for any other error. */
export function rateLimitOf(error: unknown): LimitState | undefined {
  if (!isAppError(error) || error.kind !== 'rate_limited') return undefined;
  const { limit, resets_at } = error.details ?? {};
  return typeof limit === 'number' ? { limit, remaining: 0, resets_at_ms: Date.parse(String(resets_at)) } : undefined;
}
