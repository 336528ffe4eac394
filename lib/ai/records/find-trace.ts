import * as z from 'zod';
import { type Database, queryAll } from '../../platform/database/database.ts';
import { isExpired } from '../../platform/database/table.ts';
import { callKey, callLogTable, tracePk } from './call-log-table.ts';
import { CallRecord } from './call-record.ts';
import { type CallSpan, callSpans } from './call-spans.ts';

/** A trace with more calls than this is shown in part. */
const MOST_CALLS = 200;
const Place = z.object({ request_id: z.string(), started_ms: z.number() });

/** The spans of the calls of a trace, in the order of the calls; empty if the project has no such trace. */
export async function findTrace(database: Database, projectId: string, traceId: string, nowMs: number): Promise<CallSpan[]> {
  const places = await queryAll(database, callLogTable.name, { pk: tracePk(projectId, traceId), limit: MOST_CALLS });
  const keys = places.map((item) => Place.parse(item)).map(({ request_id, started_ms }) => callKey(projectId, request_id, started_ms));
  const items = await database.batchGet(callLogTable.name, keys);
  return items
    .filter((item) => !isExpired(item, nowMs))
    .sort((a, b) => (a.sk < b.sk ? -1 : 1))
    .flatMap(({ record }) => callSpans(CallRecord.parse(JSON.parse(String(record)))));
}
