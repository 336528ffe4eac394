import { createBoundedCache } from '../../platform/bounded-cache.ts';
import type { Clock } from '../../platform/clock.ts';
import { ConditionFailed, type Database } from '../../platform/database/database.ts';
import { eachBounded } from '../../platform/each-bounded.ts';
import { apiKeyKey } from '../accounts/accounts-table.ts';
import { identityTable } from '../identity-table.ts';
import { findKeyById } from './api-key-repository.ts';

/** The time of a key's last use is as old as this at the most. */
const EVERY_MS = 60_000;
const REMEMBERED = 20_000;
const AT_ONCE = 8;

/**
 * Notes when keys were used, by their ids. A key is written at most once a minute, whichever instances see its uses; one that was revoked
 * meanwhile is left alone.
 */
export function createKeyUse({
  database,
  clock,
}: {
  database: Database;
  clock: Clock;
}): (uses: ReadonlyMap<string, number>) => Promise<void> {
  const noted = createBoundedCache<number>(REMEMBERED);

  async function note([id, atMs]: readonly [string, number]): Promise<void> {
    const nowMs = clock.nowMs();
    if (nowMs - (noted.get(id) ?? 0) < EVERY_MS) return;
    const key = await findKeyById(database, id);
    if (key && atMs - (key.last_used_at_ms ?? 0) >= EVERY_MS) {
      const write = {
        table: identityTable.name,
        update: apiKeyKey(key.hash),
        set: { last_used_at_ms: atMs },
        if: {
          exists: true,
          ...(key.last_used_at_ms === null ? { equals: { last_used_at_ms: null } } : { below: { last_used_at_ms: atMs } }),
        },
      };
      await database.write(write).catch((error: unknown) => {
        // Another instance was faster, or the key is gone.
        if (!(error instanceof ConditionFailed)) throw error;
      });
    }
    noted.set(id, nowMs);
  }

  return (uses) => eachBounded([...uses], AT_ONCE, note);
}
