import * as z from 'zod';
import { eventAgentPk, eventPks, eventStackPks, isStamped, telemetryTable } from '../../identity/telemetry-table.ts';
import type { Database, Item } from '../../platform/database/database.ts';
import { isExpired } from '../../platform/database/table.ts';
import { readNewestFirst } from '../../platform/database/time-order.ts';
import { cursorParameter } from '../../platform/list-cursor.ts';
import { collectPage, type ListPage } from '../../platform/list-page.ts';
import { liveAgentsAmong } from '../agents/agent-repository.ts';
import type { FleetPorts } from '../fleet-ports.ts';
import type { AgentEvent } from '../protocol/agent-protocol.ts';
import { registeredAmong } from '../targeting/registration-repository.ts';
import { eventsById } from './agent-event-repository.ts';

/** An answer holds at most this many events; its cursor leads to the next ones. */
export const EVENT_LIST_LIMIT = 500;
export const EventCursor = cursorParameter(isStamped);

/** An answer reads at most this many entries, however few of them are wanted: about two hundred read units. */
const ENTRIES_READ = 10_000;
/** Few events are fetched at a time, because events with details may be large and some of them can fill a page. */
const FETCHED_AT_ONCE = 25;

interface EventSearch {
  pks: readonly string[];
  /** Returns the agents whose events are wanted. */
  wanted(agentIds: readonly string[]): Promise<ReadonlySet<string>>;
  cursor: string | undefined;
}

/** Lists an agent's events, newest first. An unknown or deleted agent has none: nobody sees the events of a deleted agent. */
export const listAgentEvents = (ports: FleetPorts, agentId: string, cursor?: string): Promise<ListPage<AgentEvent>> =>
  listEvents(ports, { pks: [eventAgentPk(agentId)], wanted: (ids) => liveAgentsAmong(ports.database, ids), cursor });

/** Lists the events on all deployment objects of a stack, newest first. */
export const listStackEvents = (ports: FleetPorts, stackId: string, cursor?: string): Promise<ListPage<AgentEvent>> =>
  listEvents(ports, { pks: eventStackPks(stackId), wanted: (ids) => liveAgentsAmong(ports.database, ids), cursor });

/** Lists the events of the fleet, or of the agents that are registered with one tenant, newest first. */
export const listRecentEvents = (ports: FleetPorts, tenant?: string, cursor?: string): Promise<ListPage<AgentEvent>> =>
  listEvents(ports, {
    pks: eventPks,
    wanted: async (ids) =>
      liveAgentsAmong(ports.database, tenant === undefined ? ids : [...(await registeredAmong(ports.database, tenant, ids))]),
    cursor,
  });

const EventRef = z.object({ sk: z.string(), id: z.uuid(), agent_id: z.guid() });
type EventRef = z.infer<typeof EventRef>;

async function listEvents({ database, clock }: FleetPorts, search: EventSearch): Promise<ListPage<AgentEvent>> {
  const { refs, reached } = await findRefs(database, clock.nowMs(), search);
  const page = collectPage<AgentEvent>(EVENT_LIST_LIMIT);
  for (let from = 0; from < refs.length; from += FETCHED_AT_ONCE) {
    const some = refs.slice(from, from + FETCHED_AT_ONCE);
    const events = await eventsById(
      database,
      some.map(({ id }) => id),
    );
    const full = events.some((event) => !page.add(event));
    const last = page.items.at(-1);
    if (full && last) return { items: page.items, next: placeOf(refs, last) };
  }
  return { items: page.items, ...(reached !== undefined && { next: reached }) };
}

const placeOf = (refs: readonly EventRef[], event: AgentEvent): string => refs.find(({ id }) => id === event.id)?.sk ?? '';

/** Reads one more than a page holds, so that a full page knows whether anything is left. */
async function findRefs(
  database: Database,
  nowMs: number,
  { pks, wanted, cursor }: EventSearch,
): Promise<{ refs: EventRef[]; reached?: string }> {
  const refs: EventRef[] = [];
  let read = 0;
  const batches = readNewestFirst(database, telemetryTable.name, {
    pks,
    // A sort key begins with its event's time.
    between: { from: '0', to: new Date(nowMs + 86_400_000).toISOString() },
    behind: cursor,
    fields: ['id', 'agent_id', 'expires_at'],
    firstPage: Math.ceil((EVENT_LIST_LIMIT * 1.2) / pks.length),
  });
  for await (const batch of batches) {
    refs.push(...(await wantedAmong(batch.items, nowMs, wanted)));
    read += batch.read;
    if (batch.reached !== undefined && (refs.length > EVENT_LIST_LIMIT || read >= ENTRIES_READ)) return { refs, reached: batch.reached };
  }
  return { refs };
}

async function wantedAmong(items: readonly Item[], nowMs: number, wanted: EventSearch['wanted']): Promise<EventRef[]> {
  const listed = items.filter((item) => !isExpired(item, nowMs)).map((item) => EventRef.parse(item));
  const agents = await wanted([...new Set(listed.map(({ agent_id }) => agent_id))]);
  return listed.filter(({ agent_id }) => agents.has(agent_id));
}
