import type { ClusterEffects } from '../effects/cluster-effects.ts';
import type { InventoryStore } from '../inventory/inventory-store.ts';
import type { DeletionGuard } from './deletion-guard.ts';

/** The ports that changing a stack's objects needs. */
export interface AttemptPorts {
  effects: ClusterEffects;
  inventories: InventoryStore;
  guard: DeletionGuard;
  /** The ids of the stacks that are to go from this agent. */
  leavingStacks: () => ReadonlySet<string>;
  /** The ids of the stacks that may take objects over from this one and have not been applied yet. */
  takersOf: (stackId: string) => Promise<readonly string[]>;
}
