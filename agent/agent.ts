import { type Clock, systemClock } from '../lib/platform/clock.ts';
import { randomFraction } from '../lib/platform/ids.ts';
import { type Log, silentLog } from '../lib/platform/log.ts';
import { type AgentMetrics, createAgentMetrics, meteredCluster } from './agent-metrics.ts';
import { beginWork, type Work } from './agent-work.ts';
import type { Cluster } from './cluster/cluster.ts';
import type { AgentConfig } from './config.ts';
import { type ControlPlane, ControlPlaneError } from './control-plane/control-plane.ts';
import { type AgentHealth, createHeartbeat, type Heartbeat } from './heartbeat.ts';
import { isRefusal, join, waitUntilReady } from './join.ts';
import { createAgentState, loadState } from './state/agent-state.ts';
import { createStateFiles, type StateFiles } from './state/state-files.ts';

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

export function createClusterAgent({
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
    const parts = { config, files, cluster, controlPlane, heartbeat, metrics, clock, random, log, stop };
    work = beginWork({ ...parts, agentId, joinedAtStart: joined, joining, state });
    log.info('agent_started', { agent_id: agentId, agent_name: config.agentName, cluster_name: config.clusterName });
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
