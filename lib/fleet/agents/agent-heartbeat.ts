import { timestamp } from '../../platform/clock.ts';
import { ConditionFailed } from '../../platform/database/database.ts';
import type { FleetPorts } from '../fleet-ports.ts';
import { agentKey, fleetTable } from '../fleet-table.ts';
import type { HeartbeatReport } from '../protocol/agent-protocol.ts';
import { AgentRecord } from './agent-repository.ts';

/** A heartbeat costs a write, so an agent's heartbeats are stored at most this often, whatever they contain. */
const HEARTBEAT_RESOLUTION_MS = 60_000;

/**
 * Records that the agent is alive, and how it sees its cluster. `account` is the agent's record as admission has just read it. A
 * heartbeat never changes the agent's status. A latency without reachability is ignored, and an unreachable cluster
 * has no latency.
 */
export async function recordHeartbeat({ database, clock }: FleetPorts, account: unknown, report: HeartbeatReport): Promise<void> {
  const { id, last_heartbeat } = AgentRecord.parse(account);
  if (last_heartbeat !== null && clock.nowMs() - Date.parse(last_heartbeat) < HEARTBEAT_RESOLUTION_MS) return;
  const now = timestamp(clock);
  const reachable = report.k8s_reachable ?? undefined;
  const seen =
    reachable === undefined
      ? {}
      : { k8s_reachable: reachable, k8s_api_latency_ms: reachable ? (report.k8s_api_latency_ms ?? null) : null, k8s_reported_at: now };
  try {
    await database.write({
      table: fleetTable.name,
      update: agentKey(id),
      set: { last_heartbeat: now, ...seen },
      // If several heartbeats arrive at once, the first one is stored.
      if: { exists: true, equals: { last_heartbeat } },
    });
  } catch (error) {
    // Another heartbeat was faster, or the agent was deleted since it was admitted and its next call is refused.
    if (!(error instanceof ConditionFailed)) throw error;
  }
}
