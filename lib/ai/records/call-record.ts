import * as z from 'zod';
import { RoutingDecision } from '../routing/decisions/routing-decision.ts';

const PicoUsd = z.string().regex(/^\d{1,30}$/);
const Tokens = z.int().min(0);

export const CallOutcome = z.enum(['success', 'error', 'client_closed', 'rate_limited', 'budget_exceeded']);

export const CallAttempt = z.object({
  provider: z.string(),
  model: z.string(),
  status_code: z.int(),
  error: z.string().optional(),
  started_ms: z.number(),
  latency_ms: z.number(),
  first_byte_ms: z.number().nullable(),
  cost_pico_usd: PicoUsd,
  /** What the attempt says about its provider's health. `ignored`: nothing, such as an attempt that the caller broke off. */
  health: z.enum(['success', 'failure', 'rate_limited', 'credentials', 'exhausted_account', 'ignored']),
});
export type CallAttempt = z.infer<typeof CallAttempt>;

/**
 * Everything that is known about one call when it is over. One of these leaves for each call by the queue; request log, trace, rollups,
 * health and events are made from it. Times are milliseconds since the epoch, durations milliseconds.
 */
export const CallRecord = z.object({
  request_id: z.string(),
  trace_id: z.string(),
  parent_span_id: z.string().nullable(),
  organization_id: z.string(),
  project_id: z.string(),
  api_key_id: z.string(),
  operation: z.enum(['chat', 'completions', 'embeddings', 'responses', 'messages']),
  requested_model: z.string(),
  /** Of the attempt that answered; null if none did. */
  provider: z.string().nullable(),
  model: z.string().nullable(),
  streamed: z.boolean(),
  status_code: z.int(),
  outcome: CallOutcome,
  error: z.string().nullable(),
  routing_decision_id: z.string().nullable(),
  routing_strategy: z.string().nullable(),
  routing_reason: z.string().nullable(),
  confidence: z.number().nullable(),
  /** Everything that the routing decision was made of, to be kept for some days; absent if none was made. */
  decision: RoutingDecision.nullable().optional(),
  attempts: z.array(CallAttempt),
  usage: z.record(z.string(), Tokens),
  usage_estimated: z.boolean(),
  usage_anomaly: z.boolean(),
  cost_pico_usd: PicoUsd,
  cost_by_class: z.record(z.string(), PicoUsd),
  cost_estimated: z.boolean(),
  price_source: z.string().nullable(),
  /** What a cache hit would have cost. */
  saved_pico_usd: PicoUsd,
  cache: z.enum(['HIT', 'MISS', 'DISABLED']),
  started_ms: z.number(),
  latency_ms: z.number(),
  ttft_ms: z.number().nullable(),
  overhead_ms: z.number(),
  queue_ms: z.number(),
  finish_reasons: z.array(z.string()),
  environment: z.string().nullable(),
  tags: z.array(z.string()),
  user: z.string().nullable(),
  session: z.string().nullable(),
  warnings: z.array(z.string()),
  /** The captured request and answer, sealed for the project, if its settings ask for it. */
  payload: z.object({ sealed: z.string(), truncated: z.boolean() }).nullable(),
});
export type CallRecord = z.infer<typeof CallRecord>;
