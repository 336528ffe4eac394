import { createHash } from 'node:crypto';
import { decideFor } from '../../identity/principal.ts';
import { timestamp } from '../../platform/clock.ts';
import { ConditionFailed } from '../../platform/database/database.ts';
import { expiresAt, isExpired } from '../../platform/database/table.ts';
import { newId } from '../../platform/ids.ts';
import { findAgentRecord, liveAgentsAmong } from '../agents/agent-repository.ts';
import { retryOnConcurrentChange } from '../concurrent-change.ts';
import { type DeploymentObjectHead, findDeploymentObjectHead } from '../deployment-objects/deployment-object-repository.ts';
import { fleetError, foreignKeyViolation } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import { type AgentEvent, EVENT_TYPES, type NewAgentEvent } from '../protocol/agent-protocol.ts';
import { findStack } from '../stacks/stack-repository.ts';
import { confirmRemoval } from '../targeting/assignments.ts';
import { wasToldToRun } from '../targeting/told-objects.ts';
import { eventNewWrites, findEvent, findResult, resultWrites, type StackResult, touchWrite } from './agent-event-repository.ts';

const succeeded = (status: string) => status.toUpperCase() === 'SUCCESS';
const UNAUDITED = { unaudited: 'telemetry: the event is its own record' };

/**
 * Stores an agent's report on a deployment object. A report that equals the agent's latest report on that stack stores no new event and
 * only moves the event's `updated_at`, so that the number of events doesn't grow with polls.
 */
export async function reportEvent(ports: FleetPorts, caller: Caller, input: NewAgentEvent): Promise<AgentEvent> {
  const { database } = ports;
  const { agent_id: agentId, deployment_object_id: deploymentObjectId } = input;
  const head = await findDeploymentObjectHead(database, deploymentObjectId, ports.clock.nowMs());
  if (!head) throw noSuchDeploymentObject();
  const fingerprint = fingerprintOf(input);
  const event = await retryOnConcurrentChange(ports, 'latest report', async () => {
    const stored = await findResult(database, agentId, head.stack_id);
    const latest = stored && !isExpired(stored, ports.clock.nowMs()) ? stored : undefined;
    if (!(await mayReport(ports, caller, agentId, { head, latest }))) throw noSuchDeploymentObject();
    const same = latest?.deployment_object_id === deploymentObjectId && latest.fingerprint === fingerprint;
    const repeated = same ? await repeatEvent(ports, latest.event_id) : undefined;
    return repeated ?? storeEvent(ports, input, head, { fingerprint, latest, stored });
  });
  if (event.event_type === EVENT_TYPES.remove && succeeded(event.status)) await confirmRemoval(ports, agentId, head);
  return event;
}

/** A deployment object that the agent was never told to run gets the same answer, so that the agent doesn't learn that it exists. */
const noSuchDeploymentObject = () =>
  foreignKeyViolation(
    'agent_events_deployment_object_id',
    'deployment_object_id: no such deployment object, or the agent was never told to run it',
  );

/** Admins report for every agent that exists, an agent only for itself and on deployment objects that it was told to run. */
const mayReport = (
  { database }: FleetPorts,
  { principal }: Caller,
  agentId: string,
  { head, latest }: { head: DeploymentObjectHead; latest: StackResult | undefined },
): Promise<boolean> =>
  decideFor<Promise<boolean>>(principal, {
    admin: async () => {
      if (await findAgentRecord(database, agentId)) return true;
      throw foreignKeyViolation('agent_events_agent_id', 'agent_id: no such agent');
    },
    agent: async ({ id }) => id === agentId && (isHistory(latest, head) || (await wasToldToRun(database, agentId, head))),
    generator: async () => false,
  });

/** A late or repeated report: the agent has already reported on this deployment object or on a later one of the stack. */
const isHistory = (latest: StackResult | undefined, head: DeploymentObjectHead) =>
  latest !== undefined && head.sequence_id <= latest.sequence;

async function storeEvent(
  ports: FleetPorts,
  input: NewAgentEvent,
  head: DeploymentObjectHead,
  { fingerprint, latest, stored }: { fingerprint: string; latest: StackResult | undefined; stored: StackResult | undefined },
): Promise<AgentEvent> {
  const { agent_id, deployment_object_id, event_type, status, message = null, details = null } = input;
  const now = timestamp(ports.clock);
  const times = { created_at: now, updated_at: now, deleted_at: null };
  const event: AgentEvent = { id: newId(), ...times, agent_id, deployment_object_id, event_type, status, message, details };
  const retention = { nowMs: ports.clock.nowMs(), days: ports.eventRetentionDays };
  const writes = eventNewWrites(event, head.stack_id, retention);
  // A late report on an older deployment object is history: the latest report stays that on the newer one.
  if (!latest || latest.sequence <= head.sequence_id) {
    const stackIsGone = !latest && !(await findStack(ports.database, head.stack_id));
    const expires_at = stackIsGone ? expiresAt(retention.nowMs, retention.days) : latest?.expires_at;
    writes.push(...resultWrites(event, head.stack_id, { sequence: head.sequence_id, fingerprint, expires_at }, stored));
  }
  await ports.commit({ writes, audit: UNAUDITED });
  return event;
}

/** Moves the event's `updated_at` and returns the event; undefined if it has expired. */
async function repeatEvent({ database, clock }: FleetPorts, eventId: string): Promise<AgentEvent | undefined> {
  const event = await findEvent(database, eventId, clock.nowMs());
  if (!event) return undefined;
  const updated_at = timestamp(clock);
  try {
    await database.write(touchWrite(eventId, updated_at));
    return { ...event, updated_at };
  } catch (error) {
    if (error instanceof ConditionFailed) return undefined;
    throw error;
  }
}

const fingerprintOf = ({ event_type, status, message, details }: NewAgentEvent) => {
  // Two reports that differ only in their duration are equal.
  const { duration_ms: _, ...rest } = details ?? { duration_ms: 0 };
  return createHash('sha256')
    .update(JSON.stringify([event_type, status, message ?? null, rest]))
    .digest('hex');
};

/** Nobody sees the events of a deleted agent. */
export async function getEvent({ database, clock }: FleetPorts, id: string): Promise<AgentEvent> {
  const event = await findEvent(database, id, clock.nowMs());
  const live = event && (await liveAgentsAmong(database, [event.agent_id]));
  if (!event || !live?.has(event.agent_id)) throw fleetError('agent_event_not_found');
  return event;
}
