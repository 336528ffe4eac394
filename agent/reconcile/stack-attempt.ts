import type { LiveObject } from '../cluster/cluster.ts';
import type { AgentState } from '../state/agent-state.ts';
import type { Desired } from './desired/desired.ts';
import type { Owner } from './desired/ownership.ts';
import type { StackPolicy } from './desired/stack-policy.ts';
import type { ClusterEffects } from './effects/cluster-effects.ts';
import type { Outcome } from './effects/outcome.ts';
import type { Inventory } from './inventory/inventory.ts';
import type { InventoryStore } from './inventory/inventory-store.ts';
import type { DeletionGuard } from './removal/deletion-guard.ts';

/** One attempt on one stack: whose, from what, to what. */
export interface StackAttempt {
  owner: Owner;
  sequence: number;
  deploymentObjectId: string;
  checksum: string;
  desired: readonly Desired[];
  policy: StackPolicy;
  inventory: Inventory | undefined;
}

/** What an attempt may use. */
export interface AttemptPorts {
  effects: ClusterEffects;
  inventories: InventoryStore;
  guard: DeletionGuard;
  /** What is to become of the other stacks. */
  state: Pick<AgentState, 'assignments'>;
}

/** What came of it, and the live objects seen last, which spare the next look. */
export interface AttemptResult {
  outcome: Outcome;
  live: ReadonlyMap<string, LiveObject>;
}

export const failure = (summary: string, objects: Outcome['objects'] = []): AttemptResult => ({
  outcome: { status: 'FAILURE', summary, objects },
  live: new Map(),
});
