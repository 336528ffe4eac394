import type { ProjectKeyPrincipal } from '../../identity/accounts/account-principals.ts';
import { createBoundedCache } from '../../platform/bounded-cache.ts';
import type { Clock } from '../../platform/clock.ts';
import { newTraceId } from '../../platform/ids.ts';
import type { CallRecord } from './call-record.ts';

export interface RefusedCall extends Pick<CallRecord, 'request_id' | 'operation' | 'status_code' | 'outcome'> {
  principal: ProjectKeyPrincipal;
  error: string;
}

/** So many refusals of a key are recorded in a minute. A client in a loop must not fill the queue and the store. */
const MOST_A_MINUTE = 60;
const MOST_KEYS = 10_000;
const LONGEST_ERROR = 500;

/** Makes the records of refused calls. Returns undefined for a call that comes after too many others. */
export function createRefusedCallRecords(clock: Pick<Clock, 'nowMs'>): (call: RefusedCall) => CallRecord | undefined {
  const counts = createBoundedCache<{ minute: number; count: number }>(MOST_KEYS);
  return (call) => {
    const { key_id } = call.principal;
    const nowMs = clock.nowMs();
    const minute = Math.floor(nowMs / 60_000);
    const known = counts.get(key_id);
    const count = known?.minute === minute ? known.count + 1 : 1;
    counts.set(key_id, { minute, count });
    return count > MOST_A_MINUTE ? undefined : refusedCallRecord(call, nowMs);
  };
}

/** The record of a call that was refused before it began: by its key's limit, by its rights, or for what stands in it. */
const refusedCallRecord = (
  { request_id, operation, status_code, outcome, principal: { organization_id, project_id, key_id }, error }: RefusedCall,
  nowMs: number,
): CallRecord => ({
  request_id,
  trace_id: newTraceId(),
  parent_span_id: null,
  organization_id,
  project_id,
  api_key_id: key_id,
  operation,
  requested_model: '',
  provider: null,
  model: null,
  streamed: false,
  status_code,
  outcome,
  error: error.slice(0, LONGEST_ERROR),
  routing_decision_id: null,
  routing_strategy: null,
  routing_reason: null,
  confidence: null,
  attempts: [],
  usage: {},
  usage_estimated: false,
  usage_anomaly: false,
  cost_pico_usd: '0',
  cost_by_class: {},
  cost_estimated: false,
  price_source: null,
  saved_pico_usd: '0',
  cache: 'DISABLED',
  started_ms: nowMs,
  latency_ms: 0,
  ttft_ms: null,
  overhead_ms: 0,
  queue_ms: 0,
  finish_reasons: [],
  environment: null,
  tags: [],
  user: null,
  session: null,
  warnings: [],
  payload: null,
});
