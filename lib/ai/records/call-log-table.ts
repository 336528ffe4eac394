import { telemetryTable } from '../../identity/telemetry-table.ts';
import type { Key } from '../../platform/database/database.ts';

/**
 * The part of the telemetry table that belongs to calls. Everything in it expires.
 *
 * | who asks                            | what                              | where                                        | cost       |
 * | ----------------------------------- | --------------------------------- | -------------------------------------------- | ---------- |
 * | request log of a project            | newest first                      | `CALLS#<project>#<shard>` `<time>#<request>` | 16 queries |
 * | request log: one request            | one, or those with the same id    | the same, in the id's shard alone            | 1 query    |
 * | the captured payload of a request   | one                               | `PAYLOAD#<project>#<request>` `<time>`       | 1          |
 * | a trace                             | its calls, whose spans are made of the records | `TRACE#<project>#<trace>` `<time>#<request>` | 1 query, and the calls |
 *
 * The log's sort keys rise with time, so that a project's log is spread over sixteen partitions by its requests' ids.
 */
export const callLogTable = telemetryTable;

const SHARDS = [...'0123456789abcdef'] as const;
const part = encodeURIComponent;

/** A caller may choose the id of a request, so its characters are mixed before they choose a partition. */
function shardOf(requestId: string): string {
  let hash = 2_166_136_261;
  for (let index = 0; index < requestId.length; index++) hash = Math.imul(hash ^ requestId.charCodeAt(index), 16_777_619);
  return SHARDS[(hash ^ (hash >>> 15)) & 15] ?? '0';
}
const timed = (startedMs: number, requestId: string) => `${new Date(startedMs).toISOString()}#${requestId}`;

export const callPks = (projectId: string): readonly string[] => SHARDS.map((shard) => `CALLS#${projectId}#${shard}`);
export const callPkOf = (projectId: string, requestId: string): string => `CALLS#${projectId}#${shardOf(requestId)}`;
export const callKey = (projectId: string, requestId: string, startedMs: number): Key => ({
  pk: callPkOf(projectId, requestId),
  sk: timed(startedMs, requestId),
});
/** A sort key of the log. */
export const isCallPlace = (sk: string): boolean => /^\d{4}-\d\d-\d\dT[\d:.]{12}Z#[A-Za-z0-9._-]{1,128}$/.test(sk);

export const payloadKey = (projectId: string, requestId: string, startedMs: number): Key => ({
  pk: `PAYLOAD#${projectId}#${part(requestId)}`,
  sk: new Date(startedMs).toISOString(),
});

export const tracePk = (projectId: string, traceId: string): string => `TRACE#${projectId}#${part(traceId)}`;
export const traceCallKey = (projectId: string, traceId: string, requestId: string, startedMs: number): Key => ({
  pk: tracePk(projectId, traceId),
  sk: timed(startedMs, requestId),
});
