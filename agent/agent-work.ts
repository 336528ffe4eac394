import type { Clock } from '../lib/platform/clock.ts';
import type { Log } from '../lib/platform/log.ts';
import type { AgentMetrics } from './agent-metrics.ts';
import type { Cluster } from './cluster/cluster.ts';
import type { AgentConfig } from './config.ts';
import type { ControlPlane } from './control-plane/control-plane.ts';
import type { Heartbeat } from './heartbeat.ts';
import { join } from './join.ts';
import { type Loop, startLoop } from './loop.ts';
import { ACTIVE, createPollCycle } from './poll-cycle.ts';
import { createStackAnnotations } from './reconcile/desired/stack-annotations.ts';
import { createStackContents } from './reconcile/desired/stack-contents.ts';
import { ownedIn } from './reconcile/inventory/inventory.ts';
import { createInventoryStore } from './reconcile/inventory/inventory-store.ts';
import { CONFIRM_ANNOTATION, createDeletionGuard } from './reconcile/removal/deletion-guard.ts';
import { createStackReconciler } from './reconcile/stack-reconciler.ts';
import { createReports } from './reports.ts';
import type { AgentState } from './state/agent-state.ts';
import { createBodyStore } from './state/body-store.ts';
import type { StateFiles } from './state/state-files.ts';
import { takersOf } from './takers.ts';
import { createOrderRunner } from './work-orders/order-runner.ts';
import { createWorkQueue } from './work-queue.ts';

interface WorkOptions {
  agentId: string;
  /** Whether the control plane has said at the start that the key is this agent's. */
  joinedAtStart: boolean;
  joining: Parameters<typeof join>[0];
  state: AgentState;
  files: StateFiles;
  config: AgentConfig;
  cluster: Cluster;
  controlPlane: ControlPlane;
  heartbeat: Heartbeat;
  metrics: AgentMetrics;
  clock: Clock;
  random: () => number;
  log: Log;
  stop: AbortSignal;
}

/** Polls already show the control plane that the agent lives; a heartbeat costs it a write, so they come no faster than this. */
const HEARTBEAT_MIN_MS = 30_000;

export interface Work {
  loop: Loop;
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** Puts the agent's parts together and starts its loops. */
export function beginWork(options: WorkOptions): Work {
  const { agentId, state, files, config, cluster, controlPlane, heartbeat, metrics, clock, random, log, stop } = options;
  const inventories = createInventoryStore({
    cluster,
    agentId,
    namespace: config.inventoryNamespace,
    files,
    clock,
    log,
    behind: metrics.inventoriesBehind,
  });
  const guard = createDeletionGuard({
    mode: config.massDeletion,
    clock,
    owned: () => inventories.all().reduce((sum, inventory) => sum + ownedIn(inventory), 0),
    confirmation: async () => (await controlPlane.annotations(agentId, stop)).find(({ key }) => key === CONFIRM_ANNOTATION)?.value,
  });
  const bodies = createBodyStore({ files, controlPlane, log });
  const defaultNamespace = config.watchNamespace ?? 'default';
  const contents = createStackContents({ bodies, stop });
  const annotations = createStackAnnotations({ controlPlane, state, clock, log, stop });
  const reports = createReports({ controlPlane, state, agentId, clock, random, log, stop });
  const shared = { agentId, state, inventories, guard, contents, defaultNamespace, metrics, log };
  const effects = { cluster, clock, random, stop, forceConflicts: config.forceConflicts, parallelism: config.applyParallelism };
  const reconcile = createStackReconciler({
    ...shared,
    effects,
    annotations,
    reports,
    assignmentOf: (stackId) => cycle.assignmentOf(stackId),
    leavingStacks: () => cycle.leavingStacks(),
    takersOf: (stackId) => takersOf({ assigned: cycle.assigned, inventories, annotations }, stackId),
    healthTimeoutMs: config.healthTimeoutMs,
    driftIntervalMs: config.driftIntervalMs,
  });
  const queue = createWorkQueue({ work: reconcile, parallelism: config.stackParallelism, clock, log });
  const cycle = createPollCycle({
    ...shared,
    controlPlane: trackingReachability(heartbeat, controlPlane),
    bodies,
    clock,
    random,
    stop,
    enqueue: queue.add,
  });

  const orders = createOrderRunner({
    agentId,
    controlPlane,
    cluster,
    isActive: () => state.assignments?.value.status === ACTIVE,
    parallelism: config.workOrderParallelism,
    leaseSeconds: config.workOrderLeaseSeconds,
    defaultNamespace,
    isReserved: inventories.isInventory,
    metrics,
    clock,
    random,
    log,
    stop,
  });
  const confirmed = createJoinCheck(options);
  const run = async () => {
    const ask = await confirmed();
    await cycle.run({ ask });
    reports.flush();
    if (ask) orders.look();
  };
  const timing = { clock, random, log };
  const loop = startLoop({ ...timing, run, intervalMs: config.pollingIntervalMs });
  const beats = startLoop({
    ...timing,
    run: () => heartbeat.beat(agentId),
    intervalMs: Math.max(config.pollingIntervalMs, HEARTBEAT_MIN_MS),
  });
  return {
    loop,
    async settled() {
      await loop.settled();
      await queue.settled();
      await orders.settled();
      await reports.settled();
      await state.settled();
    },
    async stop() {
      await Promise.all([loop.stop(), beats.stop(), queue.stop(), orders.stop()]);
      await reports.settled();
      await state.settled();
    },
  };
}

/** Started from disk, this agent still has to hear that it is who it thinks. Until then it asks for nothing else. */
function createJoinCheck({ agentId, joinedAtStart, joining, log, stop }: WorkOptions): () => Promise<boolean> {
  let joined = joinedAtStart;
  return async () => {
    if (joined) return true;
    try {
      const id = await join(joining);
      if (id !== agentId) log.error('control_plane_knows_another_agent', { agent_id: agentId, theirs: id });
      joined = id === agentId;
    } catch (error) {
      if (!stop.aborted) log.warn('not_joined', { error });
    }
    return joined;
  };
}

/** A poll tells as well as a heartbeat whether the control plane is there for this agent, and comes sooner. */
const trackingReachability = ({ heard }: Heartbeat, controlPlane: ControlPlane): ControlPlane => ({
  ...controlPlane,
  async assignments(agentId, known, signal) {
    try {
      const answer = await controlPlane.assignments(agentId, known, signal);
      heard(true);
      return answer;
    } catch (error) {
      heard(false);
      throw error;
    }
  },
});
