import type { Cluster, LiveObject, Manifest, ObjectRef } from '../../cluster/cluster.ts';
import { objectKey } from '../desired/object-key.ts';
import { FIELD_MANAGER } from '../desired/ownership.ts';
import { deletableIn, type Inventory, keysOf, readInventory, writeInventory } from './inventory.ts';

const AGENT_LABEL = 'brokkr.io/inventory-owner';
const STACK_LABEL = 'brokkr.io/inventory-stack';
const INVENTORY_PREFIX = 'brokkr-inventory-';

/**
 * One ConfigMap a stack, in the agent's namespace: it survives the agent and its disk. Kept in memory once read, since this agent
 * alone writes it.
 */
export interface InventoryStore {
  /** Reads all of this agent's inventories once. Rejects with a ClusterError; until it resolved nothing may be changed. */
  load(signal?: AbortSignal): Promise<void>;
  /** Undefined if the stack owns nothing. Throws if its inventory is there but can't be read. */
  find(stackId: string): Inventory | undefined;
  /** Whether a stack owns an object, or may: its inventory can't be read. */
  owns(stackId: string, ref: ObjectRef): boolean;
  /** All that can be read. */
  all(): Inventory[];
  /** The stacks whose inventory is there but can't be read. */
  unreadable(): string[];
  /** Resolves once the API server holds it. */
  put(inventory: Inventory, signal?: AbortSignal): Promise<void>;
  remove(stackId: string, signal?: AbortSignal): Promise<void>;
  /** Whether an object is, or would be taken for, an inventory of any agent. */
  isInventory(ref: ObjectRef): boolean;
}

/** The inventory of a stack is in the cluster, but can't be read. */
export class InventoryError extends Error {
  override name = 'InventoryError';
}

export function createInventoryStore({
  cluster,
  agentId,
  namespace,
}: {
  cluster: Cluster;
  agentId: string;
  namespace: string;
}): InventoryStore {
  let known: Map<string, Inventory | Error> | undefined;
  let loading: Promise<void> | undefined;
  const inventories = () => {
    if (!known) throw new Error('inventories were not read yet');
    return known;
  };
  const name = (stackId: string) => `${INVENTORY_PREFIX}${stackId}-${agentId.slice(0, 8)}`;

  async function read(signal: AbortSignal | undefined): Promise<void> {
    const found = await cluster.list(
      { apiVersion: 'v1', kind: 'ConfigMap' },
      { namespace, labelSelector: `${AGENT_LABEL}=${agentId}`, ...(signal && { signal }) },
    );
    known = new Map(found.map(parse));
  }

  function parse(live: LiveObject): [string, Inventory | Error] {
    const stackId = live.metadata.labels?.[STACK_LABEL] ?? '';
    try {
      const inventory = readInventory({ data: live.data, binaryData: live.binaryData });
      if (inventory.stackId === stackId) return [stackId, inventory];
      return [stackId, new InventoryError(`ConfigMap ${namespace}/${live.metadata.name} is labelled with another stack than it names`)];
    } catch (cause) {
      return [
        stackId,
        new InventoryError(`ConfigMap ${namespace}/${live.metadata.name} holds no readable inventory; what the stack owns is unknown`, {
          cause,
        }),
      ];
    }
  }

  /** Counted as an attempt begins, and kept until all that it drops is gone: what it adds makes no share smaller. */
  function ownedBefore({ stackId, isApplied, ownedBefore: given }: Inventory): number | undefined {
    const before = inventories().get(stackId);
    if (isApplied || !before || before instanceof Error) return given;
    return before.ownedBefore ?? (before.isApplied ? deletableIn(before).length : undefined);
  }

  return {
    load(signal) {
      if (known) return Promise.resolve();
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
    unreadable: () => [...inventories()].filter(([, item]) => item instanceof Error).map(([stackId]) => stackId),
    async put(changed, signal) {
      const inventory = { ...changed, ownedBefore: ownedBefore(changed) };
      const manifest: Manifest = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: name(inventory.stackId), namespace, labels: { [AGENT_LABEL]: agentId, [STACK_LABEL]: inventory.stackId } },
        ...writeInventory(inventory),
      };
      await cluster.apply(manifest, { fieldManager: FIELD_MANAGER, force: true, ...(signal && { signal }) });
      inventories().set(inventory.stackId, inventory);
    },
    isInventory: (ref) => ref.kind === 'ConfigMap' && ref.namespace === namespace && ref.name.startsWith(INVENTORY_PREFIX),
    async remove(stackId, signal) {
      await cluster.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: name(stackId) }, signal && { signal });
      inventories().delete(stackId);
    },
  };
}
