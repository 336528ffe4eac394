import { timestamp } from '../../platform/clock.ts';
import { ConditionFailed } from '../../platform/database/database.ts';
import { reportedAmong } from '../agent-events/agent-event-repository.ts';
import { findObject, wireBytesOf } from '../deployment-objects/deployment-object-repository.ts';
import { fleetError } from '../fleet-errors.ts';
import type { FleetPorts } from '../fleet-ports.ts';
import { agentKey, fleetTable } from '../fleet-table.ts';
import type { DeploymentObject, HeartbeatReport } from '../protocol/agent-protocol.ts';
import { stacksOfAgent } from '../targeting/matching.ts';
import { AgentRecord } from './agent-repository.ts';

/** What an agent asks and tells on each of its rounds. */

/** A heartbeat that says nothing new is stored at most once a minute: it costs a write. */
const HEARTBEAT_RESOLUTION_MS = 60_000;

/**
 * Records that the agent is alive, and how it sees its cluster. Never changes its status. A latency without reachability says
 * nothing; an unreachable cluster has none.
 */
export async function recordHeartbeat(at: FleetPorts, account: unknown, report: HeartbeatReport): Promise<void> {
  const before = AgentRecord.parse(account);
  const now = timestamp(at.clock);
  const reachable = report.k8s_reachable ?? undefined;
  const seen =
    reachable === undefined
      ? {}
      : { k8s_reachable: reachable, k8s_api_latency_ms: reachable ? (report.k8s_api_latency_ms ?? null) : null, k8s_reported_at: now };
  const fresh = before.last_heartbeat !== null && at.clock.nowMs() - Date.parse(before.last_heartbeat) < HEARTBEAT_RESOLUTION_MS;
  const same =
    reachable === undefined || (before.k8s_reachable === seen.k8s_reachable && before.k8s_api_latency_ms === seen.k8s_api_latency_ms);
  if (fresh && same) return;
  try {
    await at.database.write({
      table: fleetTable.name,
      update: agentKey(before.id),
      set: { last_heartbeat: now, ...seen },
      if: { exists: true },
    });
  } catch (error) {
    // Deleted since it was admitted: its next call is refused.
    if (!(error instanceof ConditionFailed)) throw error;
  }
}

/** One answer holds about so much YAML: it must fit through Lambda's 6 MB. Our own agent fetches bodies one by one instead. */
const TARGET_STATE_BYTES = 5 * 1024 * 1024;

/**
 * The newest object of each stack the agent runs, newest first. `incremental` leaves out those it has reported on. Deletion markers
 * are among them; stacks without an object are not.
 */
export async function targetState({ database }: FleetPorts, agentId: string, mode: 'full' | 'incremental'): Promise<DeploymentObject[]> {
  const stacks = await stacksOfAgent(database, agentId);
  const heads = stacks.flatMap((stack) => stack.latest_object ?? []).sort((a, b) => b.sequence - a.sequence);
  const reported =
    mode === 'full'
      ? new Set<string>()
      : await reportedAmong(
          database,
          agentId,
          heads.map((head) => head.object_id),
        );
  const wanted = heads.filter((head) => !reported.has(head.object_id));
  const objects: DeploymentObject[] = [];
  let bytes = 0;
  for (let from = 0; from < wanted.length; from += 25) {
    const some = await Promise.all(wanted.slice(from, from + 25).map((head) => findObject(database, head.object_id)));
    for (const object of some) {
      if (!object) continue;
      bytes += wireBytesOf(object);
      objects.push(object);
    }
    // A part of the state would look like withdrawals to an agent that compares lists: better none than that.
    if (bytes > TARGET_STATE_BYTES)
      throw fleetError('target_state_too_large', {
        message: `the target state is larger than ${TARGET_STATE_BYTES} bytes: give the agent fewer or smaller stacks, or ask for its /assignments and fetch their deployment objects one by one`,
      });
  }
  return objects;
}
