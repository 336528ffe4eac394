import { openAiLimitHeaders } from '../limits/limit-headers.ts';
import { usdOf } from '../pricing/pico-usd.ts';
import type { CallPrice } from './call/price-call.ts';
import type { RunningCall } from './call/running-call.ts';

/** The member `brokle` of an answer: what the gateway did, and what it costs. */
export interface BrokleExtension {
  request_id: string;
  provider: string | null;
  requested_model: string;
  routing_decision_id: string;
  routing_strategy: string;
  routing_reason: string;
  cost: number;
  cost_usd: number;
  latency_ms: number;
  quality_score: number | null;
  cache_hit: boolean;
  attempts: number;
  usage_estimated?: true;
  cost_estimated?: true;
  warnings?: string[];
}

export function brokleExtension({ ports, call, plan, journal }: RunningCall, { usage, cost }: CallPrice): BrokleExtension {
  const { answered, attempts, warnings, cache, startMs } = journal;
  const costUsd = usdOf(cost.pico_usd);
  return {
    request_id: call.request_id,
    provider: answered?.candidate.provider.provider_id ?? null,
    requested_model: plan.requested_model,
    routing_decision_id: plan.decision_id,
    routing_strategy: plan.priority,
    routing_reason: plan.reason,
    cost: costUsd,
    cost_usd: costUsd,
    latency_ms: Math.round(ports.clock.monotonicMs() - startMs),
    quality_score: answered?.candidate.model.quality ?? null,
    cache_hit: cache === 'HIT',
    attempts: attempts.length,
    ...(usage.estimated && { usage_estimated: true }),
    ...(cost.estimated && { cost_estimated: true }),
    ...(warnings.size > 0 && { warnings: [...warnings] }),
  };
}

/** The same in headers, as far as it is known before the first byte of the body. */
export function brokleHeaders(run: RunningCall, price?: CallPrice): Record<string, string> {
  const { plan, journal, reservation, ports } = run;
  const { answered, attempts, warnings, cache } = journal;
  return {
    ...(reservation?.tokens && openAiLimitHeaders('tokens', reservation.tokens, ports.clock.nowMs())),
    ...(answered && {
      'x-brokle-provider': answered.candidate.provider.provider_id,
      'x-brokle-model': answered.candidate.target.model,
    }),
    ...(run.reservation?.tokens && openAiLimitHeaders('tokens', run.reservation.tokens, run.ports.clock.nowMs())),
    'x-brokle-routing-decision-id': plan.decision_id,
    'x-brokle-cache': cache,
    'x-brokle-attempts': String(attempts.length),
    'x-brokle-overhead-ms': String(Math.round(overheadMs(run) * 100) / 100),
    ...(price && { 'x-brokle-cost-usd': String(usdOf(price.cost.pico_usd)) }),
    ...(warnings.size > 0 && { 'x-brokle-warnings': headerText([...warnings].join('; ')) }),
  };
}

/** A header holds visible ASCII only. */
const headerText = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 1_000);

/** The time of a call up to now that no provider took: all of it, without attempts and without waits before attempts. */
export function overheadMs({ ports, journal }: RunningCall): number {
  const now = ports.clock.monotonicMs();
  let busyMs = journal.waitedMs;
  let busyUntil = 0;
  for (const { startMs, endMs } of journal.attempts) {
    const end = endMs ?? now;
    // Attempts of a hedge overlap.
    busyMs += Math.max(0, end - Math.max(startMs, busyUntil));
    busyUntil = Math.max(busyUntil, end);
  }
  return Math.max(0, now - journal.startMs - busyMs);
}
