import { gunzipSync, gzipSync } from 'node:zlib';
import * as z from 'zod';
import { dayOf, eventAgentPk, eventDayPk, eventKey, eventObjectPk, eventSk, telemetryTable } from '../../identity/telemetry-table.ts';
import type { Database, Item, Write } from '../../platform/database/database.ts';
import { expiresAt, isExpired } from '../../platform/database/table.ts';
import { fleetTable, reportedKey, resultKey } from '../fleet-table.ts';
import { AgentEvent } from '../protocol/agent-protocol.ts';

const table = telemetryTable.name;

/** The latest report of an agent on an object: makes equal reports one event, and outlives the event itself. */
export const Reported = z.object({ event_id: z.uuid(), fingerprint: z.string() });
export type Reported = z.infer<typeof Reported>;

/** Of the first weeks' events neither the agent was noted nor were the details packed; they expire with their retention. */
const EventRef = z.object({ id: z.uuid(), agent_id: z.guid().optional() });

/** The event, and its places in the lists: of its day, its agent, its object. Lists hold ids, so that a repeat touches one item. */
export function eventNewWrites(event: AgentEvent, stackId: string, retention: { nowMs: number; days: number }): Write[] {
  const expires_at = expiresAt(retention.nowMs, retention.days);
  const sk = eventSk(event.created_at, event.id);
  const listed = (pk: string): Write => ({ table, put: { pk, sk, type: 'event-ref', id: event.id, agent_id: event.agent_id, expires_at } });
  return [
    { table, put: { ...eventKey(event.id), type: 'event', ...stored(event), stack_id: stackId, expires_at } as Item },
    ...[eventDayPk(dayOf(event.created_at)), eventAgentPk(event.agent_id), eventObjectPk(event.deployment_object_id)].map(listed),
  ];
}

/** Details are hundreds of objects that hardly differ: gzipped they are a few hundred bytes, and a write costs by the kilobyte. */
const stored = ({ details, ...event }: AgentEvent) => ({ ...event, ...(details && { details: gzipSync(JSON.stringify(details)) }) });

const eventOf = ({ details = null, ...item }: Item): AgentEvent =>
  AgentEvent.parse({ ...item, details: details instanceof Uint8Array ? JSON.parse(gunzipSync(details).toString()) : details });

/** Fails where another report has become the latest since `before` was. */
export const reportedWrite = (agentId: string, objectId: string, before: Reported | undefined, reported: Reported): Write => ({
  table: fleetTable.name,
  put: { ...reportedKey(agentId, objectId), type: 'reported', ...reported },
  if: before ? { equals: { event_id: before.event_id } } : { exists: false },
});

/** The latest result of a stack on an agent, unless a later object's is there already: then it fails with what `overtaken` makes. */
export const resultWrite = (agentId: string, stackId: string, sequence: number, event: AgentEvent, overtaken: () => Error): Write => ({
  table: fleetTable.name,
  orElse: overtaken,
  put: {
    ...resultKey(agentId, stackId),
    type: 'result',
    sequence,
    event_id: event.id,
    status: event.status,
    event_type: event.event_type,
    deployment_object_id: event.deployment_object_id,
    reported_at: event.created_at,
  },
  if: { below: { sequence: sequence + 1 } },
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

export async function findReported(database: Database, agentId: string, objectId: string): Promise<Reported | undefined> {
  const item = await database.get(fleetTable.name, reportedKey(agentId, objectId));
  return item && Reported.parse(item);
}

/** Which of these objects the agent has reported on, ever. */
export async function reportedAmong(database: Database, agentId: string, objectIds: readonly string[]): Promise<Set<string>> {
  const items = await database.batchGet(
    fleetTable.name,
    objectIds.map((id) => reportedKey(agentId, id)),
  );
  return new Set(items.map((item) => item.sk.slice(reportedKey('', '').sk.length)));
}

export interface EventSearch {
  limit: number;
  nowMs: number;
  /** Whose events are wanted, of the agents of a page. */
  wanted: (agentIds: readonly string[]) => Promise<ReadonlySet<string>>;
}

/** So much is looked through for one list, however little of it is wanted: about two hundred read units. */
const REFS_MAX = 10_000;
/** A fleet that reports nothing new has empty days: they are looked through together. */
const DAYS_AT_ONCE = 8;

/** The newest on one object. */
export const eventsOnObject = (database: Database, objectId: string, search: EventSearch): Promise<AgentEvent[]> =>
  newestOf(database, [eventObjectPk(objectId)], search);

/** The newest of one agent. */
export const eventsOfAgent = (database: Database, agentId: string, limit: number, nowMs: number): Promise<AgentEvent[]> =>
  newestOf(database, [eventAgentPk(agentId)], { limit, nowMs, wanted: async (ids) => new Set(ids) });

/** The newest of all agents, back through the retention. */
export function recentEvents(database: Database, days: number, search: EventSearch): Promise<AgentEvent[]> {
  const dayAgo = (back: number) => dayOf(new Date(search.nowMs - back * 86_400_000).toISOString());
  return newestOf(
    database,
    Array.from({ length: days + 1 }, (_, back) => eventDayPk(dayAgo(back))),
    search,
  );
}

/** Newest first, list after list, some lists' first pages at once. */
async function newestOf(database: Database, pks: readonly string[], { limit, nowMs, wanted }: EventSearch): Promise<AgentEvent[]> {
  const page = (pk: string, after?: string) =>
    database.query(table, { pk, descending: true, limit, ...(after !== undefined && { after }) });
  const ids: string[] = [];
  let left = REFS_MAX;
  for (let from = 0; from < pks.length; from += DAYS_AT_ONCE) {
    const some = pks.slice(from, from + DAYS_AT_ONCE);
    const first = await Promise.all(some.map((pk) => page(pk)));
    for (const [at, pk] of some.entries()) {
      for (let refs = first[at]; refs; refs = refs.next === undefined ? undefined : await page(pk, refs.next)) {
        const listed = refs.items.filter((ref) => !isExpired(ref, nowMs)).map((ref) => EventRef.parse(ref));
        const agents = await wanted(listed.flatMap((ref) => ref.agent_id ?? []));
        ids.push(...listed.filter((ref) => ref.agent_id === undefined || agents.has(ref.agent_id)).map((ref) => ref.id));
        left -= refs.items.length;
        if (ids.length >= limit || left <= 0) return eventsById(database, ids.slice(0, limit));
      }
    }
  }
  return eventsById(database, ids);
}

async function eventsById(database: Database, ids: readonly string[]): Promise<AgentEvent[]> {
  const items = await database.batchGet(table, ids.map(eventKey));
  const byId = new Map(items.map((item) => [String(item.id), item]));
  return ids.flatMap((id) => byId.get(id) ?? []).map(eventOf);
}
