import type { Database, Filter } from '../../platform/database/database.ts';
import { isExpired } from '../../platform/database/table.ts';
import { readNewestFirst } from '../../platform/database/time-order.ts';
import { encodeCursor } from '../../platform/list-cursor.ts';
import { callLogTable, callPkOf, callPks } from './call-log-table.ts';
import { CallRecord } from './call-record.ts';

export interface CallQuery {
  project_ids: readonly string[];
  request_id?: string | undefined;
  provider?: string | undefined;
  model?: string | undefined;
  /** An outcome, or a status code. */
  status?: string | undefined;
  user?: string | undefined;
  session?: string | undefined;
  tag?: string | undefined;
  /** Milliseconds since the epoch, inclusive. */
  fromMs: number;
  /** Exclusive. */
  toMs: number;
  /** The search continues behind the entry at this place. */
  cursor?: string | undefined;
  limit: number;
}

export interface CallPage {
  calls: CallRecord[];
  /** The cursor of the next page; null if the search has seen everything. */
  next: string | null;
}

/** One search reads this many entries at the most. If they don't fill a page, its cursor continues behind them. */
const ENTRIES_READ = 5_000;

/** Finds calls, newest first. */
export async function searchCalls(database: Database, query: CallQuery, nowMs: number): Promise<CallPage> {
  const { project_ids, request_id, tag, limit, fromMs, toMs, cursor } = query;
  const pks = project_ids.flatMap((id) => (request_id === undefined ? callPks(id) : [callPkOf(id, request_id)]));
  const filter = filterOf(query);
  const found: { sk: string; record: CallRecord }[] = [];
  let read = 0;
  let reached: string | undefined;
  const batches = readNewestFirst(database, callLogTable.name, {
    pks,
    between: { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() },
    behind: cursor,
    filter,
    firstPage: filter || tag !== undefined ? 100 : Math.ceil((limit * 1.2) / pks.length) + 1,
  });
  for await (const batch of batches) {
    read += batch.read;
    reached = batch.reached;
    for (const item of batch.items) {
      if (isExpired(item, nowMs) || (tag !== undefined && !(Array.isArray(item.tags) && item.tags.includes(tag)))) continue;
      found.push({ sk: item.sk, record: CallRecord.parse(JSON.parse(String(item.record))) });
    }
    if (found.length > limit || read >= ENTRIES_READ) break;
  }
  const page = found.slice(0, limit);
  const place = found.length > limit ? page.at(-1)?.sk : reached;
  return { calls: page.map(({ record }) => record), next: place === undefined ? null : encodeCursor(place) };
}

function filterOf({ request_id, provider, model, status, user, session }: CallQuery): Filter | undefined {
  const code = status !== undefined && /^\d{3}$/.test(status) ? Number(status) : undefined;
  const wanted = { request_id, provider, model, user, session, status_code: code, outcome: code === undefined ? status : undefined };
  const equals = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
  return Object.keys(equals).length > 0 ? { equals } : undefined;
}
