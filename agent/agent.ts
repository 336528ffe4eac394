import { type Clock, systemClock } from '../lib/platform/clock.ts';
import { randomFraction } from '../lib/platform/ids.ts';
import { type Log, silentLog } from '../lib/platform/log.ts';
import { type AgentMetrics, createAgentMetrics, meteredCluster } from './agent-metrics.ts';
import type { Cluster } from './cluster/cluster.ts';
import type { AgentConfig } from './config.ts';
import { type ControlPlane, ControlPlaneError } from './control-plane/control-plane.ts';
import { type AgentHealth, createHeartbeat, type Heartbeat } from './heartbeat.ts';
import { isRefusal, join, waitUntilReady } from './join.ts';
import { type Loop, startLoop } from './loop.ts';
import { createPollCycle } from './poll-cycle.ts';
import { createStackAnnotations } from './reconcile/desired/stack-annotations.ts';
import { createStackContents } from './reconcile/desired/stack-contents.ts';
import { ownedIn } from './reconcile/inventory/inventory.ts';
import { createInventoryStore } from './reconcile/inventory/inventory-store.ts';
import { CONFIRM_ANNOTATION, createDeletionGuard } from './reconcile/removal/deletion-guard.ts';
import { createStackReconciler } from './reconcile/stack-reconciler.ts';
import { createReports } from './reports.ts';
import { createAgentState, loadState } from './state/agent-state.ts';
import { createBodyStore } from './state/body-store.ts';
import { createStateFiles, type StateFiles } from './state/state-files.ts';
import { createWorkQueue } from './work-queue.ts';

export interface AgentOptions {
  config: AgentConfig;
  cluster: Cluster;
  controlPlane: ControlPlane;
  /** The folder `config.stateDir` if absent. */
  files?: StateFiles;
  clock?: Clock;
  /** In [0, 1): for jitter. */
  random?: () => number;
  log?: Log;
  metrics?: AgentMetrics;
}

/** One agent of one cluster. It closes neither the cluster nor the control plane it was given. */
export interface Agent {
  /**
   * Resolves once the agent is at work. Rejects if the control plane is not ready in time and no earlier state is at hand, or
   * if it says that the key is not this agent's.
   */
  start(): Promise<void>;
  /** Ends the work between two objects; resolves when nothing is under way. */
  stop(): Promise<void>;
  /** Asks the control plane now; what it answers is worked off as usual. */
  wake(): void;
  /** Resolves when nothing is under way that does not wait for a time: polls, reconciles, reports. */
  settled(): Promise<void>;
  /** Asks the cluster. */
  health(): Promise<AgentHealth>;
  metrics: AgentMetrics;
}

/** Polls already show the control plane that the agent lives; a heartbeat costs it a write, so they come no faster than this. */
const HEARTBEAT_MIN_MS = 30_000;

interface Work {
  loop: Loop;
  settled(): Promise<void>;
  stop(): Promise<void>;
}

export function createAgent({
  config,
  controlPlane,
  clock = systemClock,
  random = randomFraction,
  log = silentLog,
  ...options
}: AgentOptions): Agent {
  const files = options.files ?? createStateFiles(config.stateDir);
  const metrics = options.metrics ?? createAgentMetrics();
  const cluster = meteredCluster(options.cluster, metrics, () => clock.monotonicMs());
  const stopping = new AbortController();
  const stop = stopping.signal;
  const heartbeat: Heartbeat = createHeartbeat({ cluster, controlPlane, clock, log, metrics, stop });
  const who = { agent_name: config.agentName, cluster_name: config.clusterName, broker_url: config.brokerUrl };
  const joining = {
    controlPlane,
    agentName: config.agentName,
    clusterName: config.clusterName,
    generatorIds: config.generatorIds,
    log,
    stop,
  };
  let work: Work | undefined;

  async function start(): Promise<void> {
    const stored = await loadState(files, log, who);
    const ready = await waitUntilReady(controlPlane, { retries: stored ? 0 : config.maxRetries, clock, log, stop });
    if (!ready && !stored) {
      const why = `the control plane at ${config.brokerUrl} was not ready within ${config.maxRetries} s`;
      throw new ControlPlaneError('unreachable', `${why}: check BROKKR__AGENT__BROKER_URL`);
    }
    let agentId = stored?.identity.agent_id;
    let joined = false;
    try {
      agentId = await join(joining);
      joined = true;
    } catch (error) {
      if (!agentId || isRefusal(error)) throw error;
      log.warn('going_on_with_the_last_known_state', { agent_id: agentId, error });
    }
    const state = createAgentState(files, log, { agent_id: agentId, ...who }, stored);
    work = begin(agentId, joined, state);
    log.info('agent_started', { agent_id: agentId, agent_name: config.agentName, cluster_name: config.clusterName });
  }

  function begin(agentId: string, joinedAtStart: boolean, state: ReturnType<typeof createAgentState>): Work {
    let joined = joinedAtStart;
    const inventories = createInventoryStore({ cluster, agentId, namespace: config.inventoryNamespace });
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

    /** Started from disk, this agent still has to hear that it is who it thinks. Until then it asks for nothing else. */
    const confirmed = async (): Promise<boolean> => {
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
    const run = async () => {
      await cycle.run({ ask: await confirmed() });
      reports.flush();
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
        await reports.settled();
        await state.settled();
      },
      async stop() {
        await Promise.all([loop.stop(), beats.stop(), queue.stop()]);
        await reports.settled();
        await state.settled();
      },
    };
  }

  return {
    start,
    async stop() {
      stopping.abort(new Error('the agent is stopping'));
      await work?.stop();
    },
    wake: () => work?.loop.wake(),
    settled: async () => work?.settled(),
    health: () => heartbeat.health(),
    metrics,
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
