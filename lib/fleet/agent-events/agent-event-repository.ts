import { gunzipSync, gzipSync } from 'node:zlib';
import * as z from 'zod';
import { eventAgentKey, eventKey, eventListKey, eventStackKey, telemetryTable } from '../../identity/telemetry-table.ts';
import type { Database, Item, Key, Write } from '../../platform/database/database.ts';
import { expiresAt, isExpired } from '../../platform/database/table.ts';
import { fleetTable, resultKey, stackReporterKey } from '../fleet-table.ts';
import { AgentEvent } from '../protocol/agent-protocol.ts';

const table = telemetryTable.name;

/** An agent's latest report on a stack. It is kept to recognize equal reports, also after the event itself has expired. */
export const StackResult = z.object({
  sequence: z.int(),
  event_id: z.uuid(),
  fingerprint: z.string(),
  deployment_object_id: z.guid(),
  /** Set after the stack was removed. */
  expires_at: z.int().optional(),
});
export type StackResult = z.infer<typeof StackResult>;

/** Writes the event and its places in three lists: all events, its agent's, its stack's. Lists hold ids, so a repeat changes one item. */
export function eventNewWrites(event: AgentEvent, stackId: string, retention: { nowMs: number; days: number }): Write[] {
  const expires_at = expiresAt(retention.nowMs, retention.days);
  const { id, created_at, agent_id } = event;
  const listed = (key: Key): Write => ({ table, put: { ...key, type: 'event-ref', id, agent_id, expires_at } });
  return [
    { table, put: { ...eventKey(id), type: 'event', ...stored(event), stack_id: stackId, expires_at } as Item },
    listed(eventListKey(created_at, id)),
    listed(eventAgentKey(agent_id, created_at, id)),
    listed(eventStackKey(stackId, created_at, id)),
  ];
}

/** A write costs by the kilobyte. Details list up to 200 objects that hardly differ, so gzipped they take a few hundred bytes. */
const stored = ({ details, ...event }: AgentEvent) => ({ ...event, ...(details && { details: gzipSync(JSON.stringify(details)) }) });

const eventOf = ({ details = null, ...item }: Item): AgentEvent =>
  AgentEvent.parse({ ...item, details: details instanceof Uint8Array ? JSON.parse(gunzipSync(details).toString()) : details });

/**
 * Makes this the latest report on the stack; fails if another report has become the latest since `before` was read. The first one
 * leaves an edge at the stack, so that results expire after it was removed.
 */
export const resultWrites = (
  { agent_id, id, deployment_object_id, status, event_type, created_at }: AgentEvent,
  stack_id: string,
  { expires_at, ...result }: Pick<StackResult, 'sequence' | 'fingerprint' | 'expires_at'>,
  before: StackResult | undefined,
): Write[] => [
  {
    table: fleetTable.name,
    put: {
      ...resultKey(agent_id, stack_id),
      type: 'result',
      stack_id,
      ...result,
      event_id: id,
      status,
      event_type,
      deployment_object_id,
      reported_at: created_at,
      ...(expires_at !== undefined && { expires_at }),
    },
    if: before ? { equals: { event_id: before.event_id } } : { exists: false },
  },
  ...(before || expires_at !== undefined
    ? []
    : [{ table: fleetTable.name, put: { ...stackReporterKey(stack_id, agent_id), type: 'reporter', agent_id } }]),
];

/** Lets the latest report on a removed stack expire: the agent may repeat it for as long as the event is kept. */
export const expireResultWrite = (agentId: string, stackId: string, expires_at: number): Write => ({
  table: fleetTable.name,
  update: resultKey(agentId, stackId),
  set: { expires_at },
  if: { exists: true },
});

export const touchWrite = (eventId: string, updated_at: string): Write => ({
  table,
  update: eventKey(eventId),
  set: { updated_at },
  if: { exists: true },
});

export async function findEvent(database: Database, id: string, nowMs: number): Promise<AgentEvent | undefined> {
  const item = await database.get(table, eventKey(id));
  return item && !isExpired(item, nowMs) ? eventOf(item) : undefined;
}

export async function findResult(database: Database, agentId: string, stackId: string): Promise<StackResult | undefined> {
  const item = await database.get(fleetTable.name, resultKey(agentId, stackId));
  return item && StackResult.parse(item);
}

/** Returns the ids of the deployment objects of the agent's latest reports on these stacks. */
export async function lastReportedDeploymentObjects(
  database: Database,
  agentId: string,
  stackIds: readonly string[],
): Promise<Set<string>> {
  const items = await database.batchGet(
    fleetTable.name,
    stackIds.map((id) => resultKey(agentId, id)),
  );
  return new Set(items.map((item) => StackResult.parse(item).deployment_object_id));
}

/** Returns the events in the order of these ids, without events that are gone. */
export async function eventsById(database: Database, ids: readonly string[]): Promise<AgentEvent[]> {
  const items = await database.batchGet(table, ids.map(eventKey));
  const byId = new Map(items.map((item) => [item.id, item]));
  return ids.flatMap((id) => byId.get(id) ?? []).map(eventOf);
}
