import { jitteredMs } from '../lib/platform/backoff.ts';
import type { Clock } from '../lib/platform/clock.ts';
import type { Log } from '../lib/platform/log.ts';
import type { InventoryStore } from './reconcile/inventory/inventory-store.ts';

interface InventoryReaderPorts {
  inventories: InventoryStore;
  clock: Clock;
  random: () => number;
  log: Log;
  stop: AbortSignal;
}

/** From the first retry to the slowest. */
const READ_AGAIN_MS = 1_000;
const READ_AGAIN_MAX_MS = 60_000;

/** Reads the inventories again if they may be stale. A cluster that does not answer is asked more and more seldom. */
export function createInventoryReader({ inventories, clock, random, log, stop }: InventoryReaderPorts) {
  let failedReads = 0;
  let readAgainAtMs = clock.monotonicMs();
  /** Returns whether they are known. */
  return async function readInventories(): Promise<boolean> {
    if (clock.monotonicMs() < readAgainAtMs) return false;
    try {
      await inventories.load();
      failedReads = 0;
      return true;
    } catch (error) {
      if (stop.aborted) return false;
      const waitMs = jitteredMs(Math.min(READ_AGAIN_MAX_MS, READ_AGAIN_MS * 2 ** Math.min(failedReads++, 10)), 0.2, random);
      readAgainAtMs = clock.monotonicMs() + waitMs;
      const reason = error instanceof Error ? error.message : String(error);
      log.warn('inventories_not_read', { reason, consequence: 'nothing is applied or removed until they are', retry_in_ms: waitMs });
      return false;
    }
  };
}
