import type { Clock } from '../lib/platform/clock.ts';
import type { Log } from '../lib/platform/log.ts';
import type { AgentMetrics } from './agent-metrics.ts';
import type { Cluster } from './cluster/cluster.ts';
import type { ControlPlane } from './control-plane/control-plane.ts';

export interface AgentHealth {
  kubernetes: { connected: boolean; error?: string };
  broker: { connected: boolean; lastHeartbeatMs?: number };
}

export interface Heartbeat {
  /** Says that the agent lives and whether it reaches its cluster. Never rejects: nothing waits for heartbeats. */
  beat(agentId: string): Promise<void>;
  /** The control plane was asked for something else, and answered as it should, or not. */
  heard(answered: boolean): void;
  health(): Promise<AgentHealth>;
}

interface HeartbeatOptions {
  cluster: Cluster;
  controlPlane: ControlPlane;
  clock: Clock;
  log: Log;
  metrics: AgentMetrics;
  stop: AbortSignal;
}

const PROBE_TIMEOUT_MS = 5_000;

export function createHeartbeat({ cluster, controlPlane, clock, log, metrics, stop }: HeartbeatOptions): Heartbeat {
  let connected = false;
  let lastHeartbeatMs: number | undefined;

  async function probe(): Promise<{ latencyMs: number } | { error: string }> {
    const startedMs = clock.monotonicMs();
    try {
      await cluster.version(AbortSignal.any([stop, AbortSignal.timeout(PROBE_TIMEOUT_MS)]));
      return { latencyMs: Math.max(0, Math.round(clock.monotonicMs() - startedMs)) };
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) };
    }
  }

  return {
    async beat(agentId) {
      const found = await probe();
      try {
        const report = 'error' in found ? { k8s_reachable: false } : { k8s_reachable: true, k8s_api_latency_ms: found.latencyMs };
        await controlPlane.heartbeat(agentId, report, stop);
        connected = true;
        lastHeartbeatMs = clock.nowMs();
        metrics.heartbeatSent();
      } catch (error) {
        connected = false;
        if (!stop.aborted) log.warn('heartbeat_failed', { error });
      }
    },
    heard(answered) {
      connected = answered;
    },
    async health() {
      const found = await probe();
      return {
        kubernetes: 'error' in found ? { connected: false, error: found.error } : { connected: true },
        broker: { connected, ...(lastHeartbeatMs !== undefined && { lastHeartbeatMs }) },
      };
    },
  };
}
