import { createHash } from 'node:crypto';
import type { CallRecord } from './call-record.ts';

/** One step of a call, for its trace. */
export interface CallSpan {
  span_id: string;
  parent_span_id: string | null;
  name: string;
  start_ms: number;
  duration_ms: number;
  status: 'ok' | 'error';
  attributes: Record<string, string | number | boolean>;
}

/** Ids are made of what the span is, so that a record that is stored twice has the same spans. */
const spanId = (record: CallRecord, name: string): string =>
  createHash('sha256').update(`${record.request_id} ${record.started_ms} ${name}`).digest('hex').slice(0, 16);

/** The spans of a call: the call itself, the routing decision, the cache, and each attempt with the time that its provider took. */
export function callSpans(record: CallRecord): CallSpan[] {
  const { started_ms, latency_ms, attempts, cache } = record;
  const rootName = `${record.operation} ${record.requested_model}`;
  const rootId = spanId(record, rootName);
  const span = (name: string, given: Partial<CallSpan>): CallSpan => ({
    span_id: spanId(record, name),
    parent_span_id: rootId,
    name,
    start_ms: started_ms,
    duration_ms: 0,
    status: 'ok',
    attributes: {},
    ...given,
  });
  return [
    span(rootName, {
      parent_span_id: record.parent_span_id,
      duration_ms: latency_ms,
      status: record.outcome === 'success' ? 'ok' : 'error',
      attributes: rootAttributes(record),
    }),
    span('route', { duration_ms: record.queue_ms, attributes: routeAttributes(record) }),
    ...(cache === 'DISABLED' ? [] : [span('cache', { attributes: { 'brokle.cache': cache } })]),
    ...attempts.flatMap((attempt, index) => {
      const name = `attempt ${index + 1}`;
      const status = attempt.status_code < 400 ? 'ok' : 'error';
      const attributes = {
        'gen_ai.provider.name': attempt.provider,
        'gen_ai.request.model': attempt.model,
        'http.response.status_code': attempt.status_code,
        ...(attempt.error !== undefined && { 'error.message': attempt.error }),
      };
      const times = { start_ms: attempt.started_ms, duration_ms: attempt.latency_ms } as const;
      const whole = span(name, { ...times, status, attributes });
      if (attempt.first_byte_ms === null) return [whole];
      const upstream = span(`upstream ${index + 1}`, {
        parent_span_id: whole.span_id,
        ...times,
        status,
        attributes: { 'brokle.first_byte_ms': attempt.first_byte_ms },
      });
      return [whole, upstream];
    }),
  ];
}

const rootAttributes = ({ provider, model, usage, cost_pico_usd, outcome, streamed }: CallRecord) => ({
  ...(provider !== null && { 'gen_ai.provider.name': provider }),
  ...(model !== null && { 'gen_ai.response.model': model }),
  'gen_ai.usage.input_tokens': usage.prompt_tokens ?? 0,
  'gen_ai.usage.output_tokens': usage.completion_tokens ?? 0,
  'brokle.cost_pico_usd': cost_pico_usd,
  'brokle.outcome': outcome,
  'brokle.streamed': streamed,
});

const routeAttributes = ({ routing_decision_id, routing_strategy, routing_reason, confidence }: CallRecord) => ({
  ...(routing_decision_id !== null && { 'brokle.routing_decision_id': routing_decision_id }),
  ...(routing_strategy !== null && { 'brokle.routing_strategy': routing_strategy }),
  ...(routing_reason !== null && { 'brokle.routing_reason': routing_reason }),
  ...(confidence !== null && { 'brokle.confidence': confidence }),
});
