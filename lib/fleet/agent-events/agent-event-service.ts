import { createHash } from 'node:crypto';
import { timestamp } from '../../platform/clock.ts';
import { ConditionFailed } from '../../platform/database/database.ts';
import { newId } from '../../platform/ids.ts';
import { findAgentRecord, liveAgentsAmong } from '../agents/agent-repository.ts';
import { againstNewest } from '../concurrent-change.ts';
import { findObjectHead, type ObjectHead } from '../deployment-objects/deployment-object-repository.ts';
import { fleetError, foreignKeyViolation } from '../fleet-errors.ts';
import type { FleetPorts } from '../fleet-ports.ts';
import { type AgentEvent, EVENT_TYPES, type NewAgentEvent } from '../protocol/agent-protocol.ts';
import { confirmRemoval } from '../targeting/assignments.ts';
import { listRegistrationsWith } from '../targeting/registration-repository.ts';
import {
  eventNewWrites,
  eventsOfAgent,
  eventsOnObject,
  findEvent,
  findReported,
  type Reported,
  recentEvents,
  reportedWrite,
  resultWrite,
  touchWrite,
} from './agent-event-repository.ts';

/** No list returns more. */
export const EVENT_LIST_LIMIT = 500;

const succeeded = (status: string) => status.toUpperCase() === 'SUCCESS';
const UNAUDITED = { unaudited: 'telemetry: the event is its own record' };

/**
 * Stores what an agent reports of an object. A report that says the same as its latest on that object stores nothing new and only
 * moves the event's `updated_at`, so that events don't grow with polls.
 */
export async function reportEvent(at: FleetPorts, input: NewAgentEvent): Promise<AgentEvent> {
  const { database } = at;
  const { agent_id: agentId, deployment_object_id: objectId } = input;
  const fingerprint = fingerprintOf(input);
  const [event, head] = await againstNewest(at, 'latest report', async () => {
    const [head, latest] = await Promise.all([findObjectHead(database, objectId), findReported(database, agentId, objectId)]);
    if (!head) throw foreignKeyViolation('agent_events_deployment_object_id', 'deployment_object_id: no such deployment object');
    const repeated = latest?.fingerprint === fingerprint ? await repeat(at, latest.event_id) : undefined;
    return [repeated ?? (await storeEvent(at, input, head, { fingerprint, latest })), head];
  });
  if (event.event_type === EVENT_TYPES.remove && succeeded(event.status)) await confirmRemoval(at, agentId, head);
  return event;
}

/** A later object's result is there already: this report is history. */
class Overtaken extends Error {
  override name = 'Overtaken';
}

async function storeEvent(
  at: FleetPorts,
  input: NewAgentEvent,
  head: ObjectHead,
  { fingerprint, latest }: { fingerprint: string; latest: Reported | undefined },
): Promise<AgentEvent> {
  const { agent_id: agentId, deployment_object_id: objectId } = input;
  const now = timestamp(at.clock);
  const { event_type, status, message = null, details = null } = input;
  const event: AgentEvent = {
    id: newId(),
    created_at: now,
    updated_at: now,
    deleted_at: null,
    agent_id: agentId,
    deployment_object_id: objectId,
    event_type,
    status,
    message,
    details,
  };
  const writes = [
    ...eventNewWrites(event, head.stack_id, { nowMs: at.clock.nowMs(), days: at.eventRetentionDays }),
    reportedWrite(agentId, objectId, latest, { event_id: event.id, fingerprint }),
  ];
  const result = resultWrite(agentId, head.stack_id, head.sequence_id, event, () => new Overtaken());
  try {
    await at.commit({ writes: [...writes, result], audit: UNAUDITED });
  } catch (error) {
    if (!(error instanceof Overtaken)) throw error;
    await at.commit({ writes, audit: UNAUDITED });
  }
  return event;
}

async function repeat({ database, clock }: FleetPorts, eventId: string): Promise<AgentEvent | undefined> {
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
  // How long it took is no difference between two reports.
  const { duration_ms: _, ...rest } = details ?? { duration_ms: 0 };
  return createHash('sha256')
    .update(JSON.stringify([event_type, status, message ?? null, rest]))
    .digest('hex');
};

/** Events go with their agent: what a deleted one has reported is seen by nobody. */
export async function getEvent({ database, clock }: FleetPorts, id: string): Promise<AgentEvent> {
  const event = await findEvent(database, id, clock.nowMs());
  const live = event && (await liveAgentsAmong(database, [event.agent_id]));
  if (!event || !live?.has(event.agent_id)) throw fleetError('agent_event_not_found');
  return event;
}

/** Newest first; an unknown agent has none. */
export async function listAgentEvents({ database, clock }: FleetPorts, agentId: string): Promise<AgentEvent[]> {
  const live = await liveAgentsAmong(database, [agentId]);
  return live.has(agentId) ? eventsOfAgent(database, agentId, EVENT_LIST_LIMIT, clock.nowMs()) : [];
}

export const listObjectEvents = ({ database, clock }: FleetPorts, objectId: string): Promise<AgentEvent[]> =>
  eventsOnObject(database, objectId, {
    limit: EVENT_LIST_LIMIT,
    nowMs: clock.nowMs(),
    wanted: (ids) => liveAgentsAmong(database, ids),
  });

/** The newest of the fleet, or of the agents registered with one tenant. */
export async function listRecentEvents({ database, clock, eventRetentionDays }: FleetPorts, tenant?: string): Promise<AgentEvent[]> {
  const registered = tenant === undefined ? undefined : await listRegistrationsWith(database, tenant);
  const theirs = registered && new Set(registered.map((registration) => registration.agent_id));
  return recentEvents(database, eventRetentionDays, {
    limit: EVENT_LIST_LIMIT,
    nowMs: clock.nowMs(),
    wanted: (ids) => liveAgentsAmong(database, theirs ? ids.filter((id) => theirs.has(id)) : ids),
  });
}

/** A report for an agent that doesn't exist is refused before anything is stored. */
export async function checkAgentExists({ database }: FleetPorts, agentId: string): Promise<void> {
  if (!(await findAgentRecord(database, agentId))) throw foreignKeyViolation('agent_events_agent_id', 'agent_id: no such agent');
}
