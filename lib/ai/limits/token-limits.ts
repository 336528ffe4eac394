import type { Clock } from '../../platform/clock.ts';
import { ConditionFailed, type Database, type Write } from '../../platform/database/database.ts';
import { tokensKey, usageTable } from '../usage-table.ts';
import type { LimitState } from './limits.ts';
import { rateLimited } from './rate-limits.ts';

export interface TokenPorts {
  database: Database;
  clock: Pick<Clock, 'nowMs'>;
}

export interface TokenReservation {
  state: LimitState;
  /** Counts so many tokens in place of the reserved ones. */
  settle(tokens: number): Promise<void>;
}

const MINUTE_MS = 60_000;
const KEPT_SECONDS = 300;

/**
 * Takes tokens out of a key's limit for this minute, or throws `rate_limited`. It needs no lease: what a call that never ends has taken is
 * back with the next minute.
 */
export async function reserveTokens(
  { database, clock }: TokenPorts,
  keyId: string,
  limit: number,
  tokens: number,
): Promise<TokenReservation> {
  const nowMs = clock.nowMs();
  const minute = Math.floor(nowMs / MINUTE_MS);
  const key = tokensKey(keyId, minute);
  const stateOf = (used: number): LimitState => ({ limit, remaining: Math.max(0, limit - used), resets_at_ms: (minute + 1) * MINUTE_MS });
  const take: Write = {
    table: usageTable.name,
    update: key,
    add: { used: tokens },
    set: { expires_at: minute * 60 + KEPT_SECONDS },
    if: { below: { used: limit - tokens + 1 } },
  };
  // The condition holds where nothing is stored yet, so a call beyond the whole limit is refused here.
  const item = tokens > limit ? undefined : await database.write(take).catch(unlessRefused);
  if (item === undefined) {
    const used = Number((await database.get(usageTable.name, key))?.used ?? 0);
    throw rateLimited(stateOf(used), nowMs, 'tokens');
  }
  return {
    state: stateOf(Number(item.used)),
    async settle(actual) {
      // The minute is over, and nobody looks at its count any more.
      if (actual === tokens || Math.floor(clock.nowMs() / MINUTE_MS) > minute) return;
      await database
        .write({ table: usageTable.name, update: key, add: { used: actual - tokens }, if: { exists: true } })
        .catch(unlessRefused);
    },
  };
}

function unlessRefused(error: unknown): undefined {
  if (!(error instanceof ConditionFailed)) throw error;
  return undefined;
}
