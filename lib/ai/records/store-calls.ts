import type { Database, Item, Put } from '../../platform/database/database.ts';
import { expiresAt } from '../../platform/database/table.ts';
import { decisionPut } from '../routing/decisions/decision-repository.ts';
import { callKey, callLogTable, payloadKey, traceCallKey } from './call-log-table.ts';
import type { CallRecord } from './call-record.ts';

/** The items that a call leaves: its entry in the log, its part of a trace, and what was captured of it. */
export function callItems(record: CallRecord, retentionDays: number): Item[] {
  const { project_id, request_id, trace_id, started_ms, payload, decision: _decision, ...facts } = record;
  const expires_at = expiresAt(started_ms, retentionDays);
  const known = { project_id, request_id, trace_id, started_ms, payload: null, ...facts };
  const items: Item[] = [
    {
      ...callKey(project_id, request_id, started_ms),
      type: 'call',
      // What the log is searched by stands beside the record.
      request_id,
      outcome: record.outcome,
      status_code: record.status_code,
      ...present({ provider: record.provider, model: record.model, user: record.user, session: record.session }),
      ...(record.tags.length > 0 && { tags: record.tags }),
      record: JSON.stringify(known),
      expires_at,
    },
    // Its spans follow from the record (call-spans.ts), so that the trace only names the call.
    { ...traceCallKey(project_id, trace_id, request_id, started_ms), type: 'trace-call', request_id, started_ms, expires_at },
  ];
  if (payload) items.push({ ...payloadKey(project_id, request_id, started_ms), type: 'payload', ...payload, expires_at });
  return items;
}

const present = (values: Record<string, string | null>) => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));

const callPuts = (record: CallRecord, retentionDays: number): Put[] => [
  ...callItems(record, retentionDays).map((put) => ({ table: callLogTable.name, put })),
  ...(record.decision ? [decisionPut(record.decision)] : []),
];

/** Stores calls. Storing them again changes nothing. */
export const storeCalls = (database: Database, records: readonly CallRecord[], retentionDays: number): Promise<void> =>
  database.putAll(records.flatMap((record) => callPuts(record, retentionDays)));
