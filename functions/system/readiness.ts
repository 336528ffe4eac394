import { bootstrapKey, identityTable } from '../../lib/identity/identity-table.ts';
import { workTable, writeProbeItem } from '../../lib/platform/events/work-table.ts';
import type { Runtime } from '../runtime.ts';
import { store } from '../store.ts';

/** The store must answer within this time. */
const BUDGET_MS = 750;
/** A verdict holds for this long, so that many probes cost the store no more than one. */
const VERDICT_MS = 2_000;

interface Verdict {
  ready: Promise<boolean>;
  until: number;
}
const verdicts = new WeakMap<Runtime, Verdict>();

/**
 * Whether the store answers and can be written. Costs at most one read unit every two seconds. If the last write has failed, it costs a
 * write too: perhaps no other write comes that would show that the store works again. Never throws.
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
