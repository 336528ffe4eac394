import { bootstrapKey, identityTable } from '../../lib/identity/identity-table.ts';
import { workTable, writeProbeItem } from '../../lib/platform/events/work-table.ts';
import type { Runtime } from '../runtime.ts';
import { store } from '../store.ts';

/** The store must answer within this time. */
const BUDGET_MS = 750;
/** A verdict holds so long: however often it is asked for, the store is asked this seldom. */
const VERDICT_MS = 2_000;

interface Verdict {
  ready: Promise<boolean>;
  until: number;
}
const verdicts = new WeakMap<Runtime, Verdict>();

/**
 * Whether the store answers and can keep what it is given. One read unit at most every two seconds, shared by all who ask meanwhile;
 * and one write, only while the last write has failed: nobody else may write by then to find out that it works again. Never throws.
 */
export function isReady(runtime: Runtime): Promise<boolean> {
  const now = runtime.clock.monotonicMs();
  const known = verdicts.get(runtime);
  if (known && known.until > now) return known.ready;
  const ready = checkStore(runtime);
  verdicts.set(runtime, { ready, until: now + VERDICT_MS });
  return ready;
}

async function checkStore(runtime: Runtime): Promise<boolean> {
  const { clock, log } = runtime;
  const { database, storage } = store(runtime);
  const answered = new AbortController();
  try {
    const budget = clock.sleep(BUDGET_MS, answered.signal).then(() => {
      throw new Error(`no answer within ${BUDGET_MS} ms`);
    });
    const check = async () => {
      await database.get(identityTable.name, bootstrapKey);
      if (storage.failure() !== undefined) await database.write({ table: workTable.name, put: writeProbeItem() });
    };
    await Promise.race([check(), budget]);
    return true;
  } catch (error) {
    log.warn('store_unavailable', { error });
    return false;
  } finally {
    answered.abort();
  }
}
