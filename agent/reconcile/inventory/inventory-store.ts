import type { Clock } from '../../../lib/platform/clock.ts';
import type { Log } from '../../../lib/platform/log.ts';
import type { Cluster, LiveObject, Manifest, ObjectRef } from '../../cluster/cluster.ts';
import type { StateFiles } from '../../state/state-files.ts';
import { objectKey } from '../desired/object-key.ts';
import { FIELD_MANAGER } from '../desired/ownership.ts';
import { deletableIn, type Inventory, keysOf, readInventory, writeInventory } from './inventory.ts';
import { createInventoryFiles, type KeptInventory } from './inventory-files.ts';
import { createRefusedCopies } from './refused-copies.ts';

const AGENT_LABEL = 'brokkr.io/inventory-owner';
const STACK_LABEL = 'brokkr.io/inventory-stack';
const INVENTORY_PREFIX = 'brokkr-inventory-';

/**
 * One ConfigMap a stack, in the agent's namespace: it survives the agent and its disk. While the API server refuses it, the inventory is on the
 * agent's own disk, so that no webhook, policy or quota on ConfigMaps stands in the way of a stack. Kept in memory once read, since this agent
 * alone writes it.
 */
export interface InventoryStore {
  /**
   * Reads all of this agent's inventories once; until it resolved nothing may be changed. Rejects with a ClusterError. Later calls have what was
   * refused before written again, unless its wait is not over.
   */
  load(signal?: AbortSignal): Promise<void>;
  /** Undefined if the stack owns nothing. Throws if its inventory is there but can't be read. */
  find(stackId: string): Inventory | undefined;
  /** Whether a stack owns an object, or may: its inventory can't be read. */
  owns(stackId: string, ref: ObjectRef): boolean;
  /** Whether another stack owns an object, or may: as `owns`, for any stack but this one. */
  ownedByOthers(stackId: string): (ref: ObjectRef) => boolean;
  /** All that can be read. */
  all(): Inventory[];
  /** The stacks whose inventory is there but can't be read. */
  unreadable(): string[];
  /** Resolves once the API server or the disk holds it. Rejects if the API server can't be reached: then nothing can be applied, either. */
  put(inventory: Inventory, signal?: AbortSignal): Promise<void>;
  remove(stackId: string, signal?: AbortSignal): Promise<void>;
  /** Whether an object is, or would be taken for, an inventory of any agent. */
  isInventory(ref: ObjectRef): boolean;
}

/** The inventory of a stack is in the cluster, but can't be read. */
export class InventoryError extends Error {
  override name = 'InventoryError';
}

export interface InventoryStoreOptions {
  cluster: Cluster;
  agentId: string;
  namespace: string;
  files: StateFiles;
  clock: Pick<Clock, 'monotonicMs' | 'nowMs'>;
  log: Log;
  /** Told how many inventories the API server has refused so far. */
  behind: (count: number) => void;
}

export function createInventoryStore(options: InventoryStoreOptions): InventoryStore {
  const { cluster, agentId, namespace, log } = options;
  const files = createInventoryFiles(options.files, agentId, log);
  let known: Map<string, Inventory | Error> | undefined;
  let loading: Promise<void> | undefined;
  const inventories = () => {
    if (!known) throw new Error('inventories were not read yet');
    return known;
  };
  const name = (stackId: string) => `${INVENTORY_PREFIX}${stackId}-${agentId.slice(0, 8)}`;

  const refused = createRefusedCopies({
    ...options,
    files,
    async copy({ stackId, inventory }: KeptInventory, signal) {
      if (!inventory)
        return void (await cluster.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: name(stackId) }, signal && { signal }));
      const manifest: Manifest = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: name(stackId), namespace, labels: { [AGENT_LABEL]: agentId, [STACK_LABEL]: stackId } },
        ...writeInventory(inventory),
      };
      await cluster.apply(manifest, { fieldManager: FIELD_MANAGER, force: true, ...(signal && { signal }) });
    },
  });

  async function read(signal: AbortSignal | undefined): Promise<void> {
    const found = await cluster.list(
      { apiVersion: 'v1', kind: 'ConfigMap' },
      { namespace, labelSelector: `${AGENT_LABEL}=${agentId}`, ...(signal && { signal }) },
    );
    const read = new Map(found.map(parse));
    for (const kept of await refused.read()) {
      const copy = read.get(kept.stackId);
      // One that can't be read may be the newer one: it stays as it is, and so does the file.
      if (copy instanceof Error) refused.leave(kept.stackId);
      else if ((copy?.revision ?? 0) >= kept.revision) await refused.forget(kept.stackId);
      else if (kept.inventory) read.set(kept.stackId, kept.inventory);
      else read.delete(kept.stackId);
    }
    known = read;
  }

  function parse(live: LiveObject): [string, Inventory | Error] {
    const stackId = live.metadata.labels?.[STACK_LABEL] ?? '';
    const where = `ConfigMap ${namespace}/${live.metadata.name}`;
    try {
      const inventory = readInventory({ data: live.data, binaryData: live.binaryData });
      if (inventory.stackId === stackId) return [stackId, inventory];
      return [stackId, new InventoryError(`${where} is labelled with another stack than it names`)];
    } catch (cause) {
      return [stackId, new InventoryError(`${where} holds no readable inventory; what the stack owns is unknown`, { cause })];
    }
  }

  /** Counted as an attempt begins, and kept until all that it drops is gone: what it adds makes no share smaller. */
  function ownedBefore({ stackId, isApplied, ownedBefore: given }: Inventory): number | undefined {
    const before = inventories().get(stackId);
    if (isApplied || !before || before instanceof Error) return given;
    return before.ownedBefore ?? (before.isApplied ? deletableIn(before).length : undefined);
  }

  /** A time, so that a stack which comes back begins above all that an earlier copy of it may say. */
  const revisionAfter = (stackId: string): number => {
    const before = inventories().get(stackId);
    const last = Math.max(before instanceof Error ? 0 : (before?.revision ?? 0), refused.revisionOf(stackId));
    return Math.max(last + 1, options.clock.nowMs());
  };

  return {
    async load(signal) {
      if (known) {
        // Beside everything else: a webhook may take half a minute to fail.
        refused.writeAgain();
        return;
      }
      loading ??= read(signal).finally(() => {
        loading = undefined;
      });
      return loading;
    },
    find(stackId) {
      const found = inventories().get(stackId);
      if (found instanceof Error) throw found;
      return found;
    },
    all: () => [...inventories().values()].filter((item): item is Inventory => !(item instanceof Error)),
    owns(stackId, ref) {
      const found = inventories().get(stackId);
      return found instanceof Error || (found !== undefined && keysOf(found.objects).has(objectKey(ref)));
    },
    ownedByOthers(stackId) {
      const others = [...inventories()].filter(([id]) => id !== stackId).map(([, item]) => item);
      if (others.some((item) => item instanceof Error)) return () => true;
      const keys = keysOf(others.flatMap((item) => (item instanceof Error ? [] : item.objects)));
      return (ref) => keys.has(objectKey(ref));
    },
    unreadable: () => [...inventories()].filter(([, item]) => item instanceof Error).map(([stackId]) => stackId),
    async put(changed, signal) {
      const { stackId } = changed;
      const revision = revisionAfter(stackId);
      const inventory = { ...changed, revision, ownedBefore: ownedBefore(changed) };
      await refused.write({ stackId, revision, inventory }, signal);
      inventories().set(stackId, inventory);
    },
    isInventory: (ref) => ref.kind === 'ConfigMap' && ref.namespace === namespace && ref.name.startsWith(INVENTORY_PREFIX),
    async remove(stackId, signal) {
      await refused.write({ stackId, revision: revisionAfter(stackId), inventory: undefined }, signal);
      inventories().delete(stackId);
    },
  };
}
