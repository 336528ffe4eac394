import type { LiveObject } from '../cluster/cluster.ts';
import type { AgentState } from '../state/agent-state.ts';
import type { ClusterEffects } from './cluster-effects.ts';
import type { DeletionGuard } from './deletion-guard.ts';
import type { Desired } from './desired.ts';
import type { Inventory } from './inventory.ts';
import type { InventoryStore } from './inventory-store.ts';
import type { Outcome } from './outcome.ts';
import type { Owner } from './ownership.ts';
import type { StackPolicy } from './stack-policy.ts';

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
