import type { Database, Filter, Key } from '../platform/database/database.ts';
import { isExpired } from '../platform/database/table.ts';
import { readNewestFirst } from '../platform/database/time-order.ts';
import { encodeCursor } from '../platform/list-cursor.ts';
import { mapInSlices } from '../platform/slices.ts';
import { AuditLog, type AuditPorts, REFUSED_KEY } from './audit.ts';
import { auditPks, auditResourcePk, refusalPks } from './telemetry-table.ts';

export interface AuditQuery {
  actor_type?: string | undefined;
  actor_id?: string | undefined;
  /** Exact, or a prefix if it ends in `*`. */
  action?: string | undefined;
  resource_type?: string | undefined;
  resource_id?: string | undefined;
  /** Inclusive. */
  from?: string | undefined;
  /** Exclusive. */
  to?: string | undefined;
  /** The search continues behind the entry at this place. */
  cursor?: string | undefined;
  limit: number;
  offset: number;
}

export interface AuditPage {
  logs: AuditLog[];
  /** Exact up to `TOTAL_COUNTED`. If more entries match, or the search ended early, it is a lower bound. */
  total: number;
  count: number;
  limit: number;
  offset: number;
  /** The cursor of the next page; null if the search has seen everything. */
  next: string | null;
}

/** `total` is counted this far. */
export const TOTAL_COUNTED = 1_000;
/** One search reads this many entries, about 2,500 read units. If they don't fill a page, its cursor continues behind them. */
const ENTRIES_READ = 20_000;

/** Finds entries, newest first. The search reads keys only; the entries of the page are fetched at the end. */
export async function searchAuditLogs(query: AuditQuery, ports: AuditPorts): Promise<AuditPage> {
  const { limit, offset } = query;
  const { keys, reached } = await findKeys(query, ports, Math.max(offset + limit, TOTAL_COUNTED));
  const page = keys.slice(offset, offset + limit);
  const logs = await fetchLogs(page, ports);
  const more = keys.length > offset + limit;
  const place = more ? page.at(-1)?.sk : reached;
  const total = reached === undefined ? keys.length : Math.min(keys.length, Math.max(TOTAL_COUNTED, offset + page.length));
  return { logs, total, count: logs.length, limit, offset, next: place === undefined ? null : encodeCursor(place) };
}

/** The keys of the newest matches, and the sort key down to which they are complete; without it, all matches were found. */
async function findKeys(query: AuditQuery, ports: AuditPorts, wanted: number): Promise<{ keys: Key[]; reached?: string }> {
  const { database, table, clock, retentionDays } = ports;
  const filter = filterOf(query);
  const pks = partitionsOf(query);
  const keys: Key[] = [];
  let read = 0;
  const batches = readNewestFirst(database, table, {
    pks,
    between: timesOf(query, clock.nowMs(), retentionDays),
    behind: query.cursor,
    filter,
    fields: ['expires_at'],
    firstPage: filter ? 200 : Math.ceil((wanted * 1.2) / pks.length),
  });
  for await (const batch of batches) {
    keys.push(...batch.items.filter((item) => !isExpired(item, clock.nowMs())).map(({ pk, sk }) => ({ pk, sk })));
    read += batch.read;
    if (batch.reached !== undefined && (keys.length > wanted || read >= ENTRIES_READ)) return { keys, reached: batch.reached };
  }
  return { keys };
}

/** The range of sort keys. They begin with the entry's time, so that a bare time is a bound before all entries of that instant. */
function timesOf({ from, to }: AuditQuery, nowMs: number, retentionDays: number): { from: string; to: string } {
  const oldest = nowMs - retentionDays * 86_400_000;
  // An instance whose clock is ahead writes entries of the near future.
  const newest = nowMs + 86_400_000;
  const end = to === undefined ? newest : Math.min(newest, Date.parse(to));
  const start = Math.min(end, Math.max(oldest, from === undefined ? oldest : Date.parse(from)));
  return { from: new Date(start).toISOString(), to: new Date(end).toISOString() };
}

function filterOf({ actor_type, actor_id, action, resource_type }: AuditQuery): Filter | undefined {
  const byPrefix = action?.endsWith('*') ? action.slice(0, -1) : undefined;
  const exact = { actor_type, actor_id, resource_type, action: byPrefix === undefined ? action : undefined };
  const equals = Object.fromEntries(Object.entries(exact).filter(([, value]) => value !== undefined));
  const beginsWith = byPrefix ? { action: byPrefix } : {};
  return Object.keys(equals).length + Object.keys(beginsWith).length > 0 ? { equals, beginsWith } : undefined;
}

/** Partitions of refusals are read only if refusals may match, so that a flood of them can't use up what a search may read. */
function partitionsOf(query: AuditQuery): readonly string[] {
  if (query.resource_id !== undefined) return [auditResourcePk(query.resource_id)];
  const { actor_type = 'system', actor_id, action = REFUSED_KEY, resource_type = 'system' } = query;
  const refusals =
    actor_type === 'system' &&
    actor_id === undefined &&
    resource_type === 'system' &&
    (action.endsWith('*') ? REFUSED_KEY.startsWith(action.slice(0, -1)) : action === REFUSED_KEY);
  return refusals ? [...auditPks, ...refusalPks] : auditPks;
}

async function fetchLogs(keys: readonly Key[], { database, table }: { database: Database; table: string }): Promise<AuditLog[]> {
  const items = await database.batchGet(table, keys);
  const bySk = new Map(items.map((item) => [item.sk, item]));
  return mapInSlices(
    keys.flatMap(({ sk }) => bySk.get(sk) ?? []),
    (item) => AuditLog.parse(item),
  );
}
