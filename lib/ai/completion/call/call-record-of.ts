import { newTraceId } from '../../../platform/ids.ts';
import type { Usage } from '../../pricing/usage.ts';
import type { CallAttempt, CallRecord } from '../../records/call-record.ts';
import { decisionOf } from '../../routing/decisions/routing-decision.ts';
import { overheadMs } from '../brokle-extension.ts';
import type { CallEnd } from './call-end.ts';
import type { AttemptNote } from './call-journal.ts';
import type { CallPrice } from './price-call.ts';
import type { RunningCall } from './running-call.ts';

/** The record of a call that is over. */
export function callRecordOf(
  run: RunningCall,
  { usage, cost, source }: CallPrice,
  end: CallEnd,
  payload: CallRecord['payload'] = null,
): CallRecord {
  const { ports, call, plan, journal, settings } = run;
  const { principal, options, operation } = call;
  const { answered, startMs, startedAtMs } = journal;
  // A project that wants nothing captured keeps no names of people either.
  const told = <T>(value: T | undefined) => (settings.capture === 'none' ? undefined : value);
  const round = (ms: number) => Math.round(ms * 1_000) / 1_000;
  return {
    request_id: call.request_id,
    trace_id: options.trace_id ?? newTraceId(),
    parent_span_id: options.parent_span_id ?? null,
    organization_id: principal.organization_id,
    project_id: principal.project_id,
    api_key_id: principal.key_id,
    operation,
    requested_model: plan.requested_model,
    provider: answered?.candidate.provider.provider_id ?? null,
    model: answered?.candidate.target.model ?? null,
    streamed: journal.streamed,
    ...end,
    routing_decision_id: plan.decision_id,
    routing_strategy: plan.priority,
    routing_reason: plan.reason,
    confidence: answered?.candidate.score ?? null,
    decision: plan.request ? decisionOf(plan, plan.request, principal, startedAtMs) : null,
    attempts: journal.attempts.map((note) => attemptOf(note, round)),
    usage: countsOf(usage),
    usage_estimated: usage.estimated,
    usage_anomaly: usage.anomaly,
    cost_pico_usd: String(cost.pico_usd),
    cost_by_class: Object.fromEntries(Object.entries(cost.by_class).map(([name, pico]) => [name, String(pico)])),
    cost_estimated: cost.estimated,
    price_source: source,
    saved_pico_usd: String(journal.savedPicoUsd),
    cache: journal.cache,
    started_ms: startedAtMs,
    latency_ms: round(ports.clock.monotonicMs() - startMs),
    ttft_ms: journal.firstContentMs === null ? null : round(journal.firstContentMs - startMs),
    overhead_ms: round(overheadMs(run)),
    queue_ms: round((journal.firstSentMs ?? startMs) - startMs),
    finish_reasons: journal.finishReasons,
    environment: options.environment ?? null,
    tags: told(options.tags) ?? [],
    user: told(options.user_id) ?? null,
    session: told(options.session_id) ?? null,
    warnings: [...journal.warnings],
    payload,
  };
}

const attemptOf = (note: AttemptNote, round: (ms: number) => number): CallAttempt => ({
  provider: note.candidate.provider.provider_id,
  model: note.candidate.target.model,
  status_code: note.status,
  ...(note.error !== undefined && { error: note.error }),
  started_ms: note.startedAtMs,
  latency_ms: round((note.endMs ?? note.startMs) - note.startMs),
  first_byte_ms: note.firstByteMs === null ? null : round(note.firstByteMs),
  cost_pico_usd: String(note.cost?.pico_usd ?? 0n),
  health: note.health,
});

/** Only the counts that are not zero, since most classes are rare. */
function countsOf(usage: Usage): Record<string, number> {
  const counts: Record<string, number> = { prompt_tokens: usage.prompt_tokens, completion_tokens: usage.completion_tokens };
  for (const [name, value] of Object.entries(usage)) if (typeof value === 'number' && value > 0) counts[name] = Math.ceil(value);
  return counts;
}
