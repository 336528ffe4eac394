import { createHash } from 'node:crypto';
import { decideFor } from '../../identity/principal.ts';
import { timestamp } from '../../platform/clock.ts';
import { ConditionFailed } from '../../platform/database/database.ts';
import { expiresAt, isExpired } from '../../platform/database/table.ts';
import { newId } from '../../platform/ids.ts';
import { findAgentRecord, liveAgentsAmong } from '../agents/agent-repository.ts';
import { retryOnConcurrentChange } from '../concurrent-change.ts';
import { findObjectHead, type ObjectHead } from '../deployment-objects/deployment-object-repository.ts';
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
 * Stores what an agent reports on a deployment object. A report that says the same as the agent's latest on that stack stores nothing
 * new and only moves the event's `updated_at`, so that events don't grow with polls.
 */
export async function reportEvent(ports: FleetPorts, caller: Caller, input: NewAgentEvent): Promise<AgentEvent> {
  const { database } = ports;
  const { agent_id: agentId, deployment_object_id: objectId } = input;
  const head = await findObjectHead(database, objectId, ports.clock.nowMs());
  if (!head) throw noSuchObject();
  const fingerprint = fingerprintOf(input);
  const event = await retryOnConcurrentChange(ports, 'latest report', async () => {
    const stored = await findResult(database, agentId, head.stack_id);
    const latest = stored && !isExpired(stored, ports.clock.nowMs()) ? stored : undefined;
    if (!(await mayReport(ports, caller, agentId, { head, latest }))) throw noSuchObject();
    const same = latest?.deployment_object_id === objectId && latest.fingerprint === fingerprint;
    const repeated = same ? await repeat(ports, latest.event_id) : undefined;
    return repeated ?? storeEvent(ports, input, head, { fingerprint, latest, stored });
  });
  if (event.event_type === EVENT_TYPES.remove && succeeded(event.status)) await confirmRemoval(ports, agentId, head);
  return event;
}

/** Also the answer for an object that the agent was never told to run: whether there is one is not its business. */
const noSuchObject = () =>
  foreignKeyViolation(
    'agent_events_deployment_object_id',
    'deployment_object_id: no such deployment object, or the agent was never told to run it',
  );

/** Admins report for every agent that there is, an agent for itself on objects that it was told to run. */
const mayReport = (
  { database }: FleetPorts,
  { principal }: Caller,
  agentId: string,
  { head, latest }: { head: ObjectHead; latest: StackResult | undefined },
): Promise<boolean> =>
  decideFor<Promise<boolean>>(principal, {
    admin: async () => {
      if (await findAgentRecord(database, agentId)) return true;
      throw foreignKeyViolation('agent_events_agent_id', 'agent_id: no such agent');
    },
    agent: async ({ id }) => id === agentId && (isHistory(latest, head) || (await wasToldToRun(database, agentId, head))),
    generator: async () => false,
  });

/** A report that comes late, or again: the agent has had its say on this object or on a later one of the stack. */
const isHistory = (latest: StackResult | undefined, head: ObjectHead) => latest !== undefined && head.sequence_id <= latest.sequence;

async function storeEvent(
  ports: FleetPorts,
  input: NewAgentEvent,
  head: ObjectHead,
  { fingerprint, latest, stored }: { fingerprint: string; latest: StackResult | undefined; stored: StackResult | undefined },
): Promise<AgentEvent> {
  const { agent_id, deployment_object_id, event_type, status, message = null, details = null } = input;
  const now = timestamp(ports.clock);
  const times = { created_at: now, updated_at: now, deleted_at: null };
  const event: AgentEvent = { id: newId(), ...times, agent_id, deployment_object_id, event_type, status, message, details };
  const retention = { nowMs: ports.clock.nowMs(), days: ports.eventRetentionDays };
  const writes = eventNewWrites(event, head.stack_id, retention);
  // A report on an older object that comes late is history: the result stays that of the newer one.
  if (!latest || latest.sequence <= head.sequence_id) {
    const stackIsGone = !latest && !(await findStack(ports.database, head.stack_id));
    const expires_at = stackIsGone ? expiresAt(retention.nowMs, retention.days) : latest?.expires_at;
    writes.push(...resultWrites(event, head.stack_id, { sequence: head.sequence_id, fingerprint, expires_at }, stored));
  }
  await ports.commit({ writes, audit: UNAUDITED });
  return event;
}

/** The event as it is told again; undefined if it has expired. */
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
