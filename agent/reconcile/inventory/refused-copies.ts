import type { Log } from '../../../lib/platform/log.ts';
import { type Cluster, ClusterError } from '../../cluster/cluster.ts';
import type { createInventoryFiles, KeptInventory } from './inventory-files.ts';

interface RefusedCopiesPorts {
  cluster: Pick<Cluster, 'version'>;
  files: ReturnType<typeof createInventoryFiles>;
  /** Writes an inventory to the cluster, or deletes it there. */
  copy: (kept: KeptInventory, signal: AbortSignal | undefined) => Promise<void>;
  clock: { monotonicMs(): number };
  log: Log;
  behind: (count: number) => void;
}

const WAIT_MS = { first: 5_000, longest: 300_000 };

/**
 * Writes inventories to the cluster, or to the disk while the API server refuses them: because of a webhook that denies or whose server is away, a
 * policy, a quota, or rights that are missing. After a refusal it writes to the disk alone for a while, since each call may cost a webhook's whole
 * time-out.
 */
export function createRefusedCopies({ cluster, files, copy, clock, log, behind }: RefusedCopiesPorts) {
  const kept = new Map<string, KeptInventory>();
  const inTurn = new Map<string, Promise<void>>();
  let isWriting = false;
  let waitMs = 0;
  let notBeforeMs = 0;

  /** One after the other for each stack: an older inventory must never follow a newer one. */
  function oneByOne(stackId: string, work: () => Promise<void>): Promise<void> {
    const turn = (inTurn.get(stackId) ?? Promise.resolve()).then(work, work);
    const ended = turn
      .catch(() => {})
      .finally(() => {
        if (inTurn.get(stackId) === ended) inTurn.delete(stackId);
      });
    inTurn.set(stackId, ended);
    return turn;
  }

  async function forget(stackId: string): Promise<void> {
    kept.delete(stackId);
    behind(kept.size);
    await files.remove(stackId).catch((error: unknown) => log.warn('kept_inventory_not_removed', { stack_id: stackId, error }));
  }

  /** Resolves to the API server's refusal. An API server that can't be reached rejects: nothing can be applied, either. */
  async function tryCopy(inventory: KeptInventory, signal: AbortSignal | undefined): Promise<ClusterError | undefined> {
    try {
      await copy(inventory, signal);
      waitMs = 0;
      return undefined;
    } catch (error) {
      signal?.throwIfAborted();
      // A webhook may take longer to fail than a call may last.
      const isReached = error instanceof ClusterError && (error.status > 0 || (await isReachable(signal)));
      if (!isReached) throw error;
      waitMs = Math.min(waitMs === 0 ? WAIT_MS.first : 2 * waitMs, WAIT_MS.longest);
      notBeforeMs = clock.monotonicMs() + waitMs;
      return error;
    }
  }

  const isReachable = (signal: AbortSignal | undefined): Promise<boolean> =>
    cluster.version(signal).then(
      () => true,
      () => false,
    );

  async function write(inventory: KeptInventory, signal: AbortSignal | undefined): Promise<void> {
    const { stackId } = inventory;
    const mayTry = clock.monotonicMs() >= notBeforeMs;
    const refusal = mayTry ? await tryCopy(inventory, signal) : undefined;
    if (mayTry && !refusal) {
      if (kept.has(stackId)) await forget(stackId);
      return;
    }
    if (refusal && !kept.has(stackId)) log.warn('inventory_refused', { stack_id: stackId, reason: refusal.message });
    await files.write(inventory).catch((error: unknown) => {
      // Neither holds it.
      throw refusal ?? error;
    });
    kept.set(stackId, inventory);
    behind(kept.size);
  }

  /** One after another, until one is refused. */
  async function writeKept(): Promise<void> {
    for (const stackId of [...kept.keys()]) {
      if (clock.monotonicMs() < notBeforeMs) return;
      await oneByOne(stackId, async () => {
        const inventory = kept.get(stackId);
        if (!inventory) return;
        if (await tryCopy(inventory, undefined)) {
          // The others come first next time: this one alone may be refused.
          kept.delete(stackId);
          kept.set(stackId, inventory);
          return;
        }
        await forget(stackId);
        log.info('inventory_written', { stack_id: stackId });
      }).catch((error: unknown) => {
        if (!(error instanceof ClusterError)) throw error;
        notBeforeMs = clock.monotonicMs() + WAIT_MS.first;
      });
    }
  }

  return {
    /** What an earlier process has kept. */
    async read(): Promise<KeptInventory[]> {
      const found = await files.read();
      for (const one of found) kept.set(one.stackId, one);
      behind(kept.size);
      return found;
    },
    revisionOf: (stackId: string): number => kept.get(stackId)?.revision ?? 0,
    forget,
    /** Writes it nowhere, and keeps the file. */
    leave: (stackId: string): void => {
      kept.delete(stackId);
      behind(kept.size);
    },
    write: (inventory: KeptInventory, signal?: AbortSignal): Promise<void> => oneByOne(inventory.stackId, () => write(inventory, signal)),
    /** Begins to try those again whose wait is over, unless it is at it already. */
    writeAgain(): void {
      if (isWriting) return;
      isWriting = true;
      writeKept()
        .catch((error: unknown) => log.error('inventories_failed_unexpectedly', { error }))
        .finally(() => {
          isWriting = false;
        });
    },
  };
}
