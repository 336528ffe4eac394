import type { ProviderHealth } from '../plan-types.ts';
import { type Circuit, type CircuitStep, CLOSED, checkAvailability, stepCircuit } from './circuit.ts';
import type { HealthSample } from './health-sample.ts';
import {
  countSample,
  countsSince,
  dayCounts,
  type HealthStats,
  healthScore,
  mergeStats,
  noStats,
  WINDOW_MS,
  windowCounts,
} from './health-stats.ts';
import { latencyAt } from './latency-histogram.ts';

export interface LastError {
  type: string;
  message: string;
  at_ms: number;
}

/** All that is known of one provider's health. */
export interface ProviderState {
  /** Of the stored item; 0 if there is none. */
  version: number;
  stats: HealthStats;
  circuit: Circuit;
  last_error: LastError | null;
  last_sample_ms: number | null;
}

/** What one instance has seen and not stored yet. */
export interface PendingSamples {
  stats: HealthStats;
  /** In their order; successes in a row are one step. */
  steps: CircuitStep[];
  last_error: LastError | null;
  last_sample_ms: number | null;
}

export const newState = (): ProviderState => ({ version: 0, stats: noStats(), circuit: CLOSED, last_error: null, last_sample_ms: null });
export const noPending = (): PendingSamples => ({ stats: noStats(), steps: [], last_error: null, last_sample_ms: null });

/** Steps beyond this are dropped, the oldest first: they can't matter any more. */
const MOST_STEPS = 1_000;
const MESSAGE_LENGTH = 300;

export function addPending(pending: PendingSamples, sample: HealthSample): void {
  const { result, begun_ms, at_ms } = sample;
  countSample(pending.stats, sample);
  if (result === 'success' && pending.steps.at(-1)?.result === 'success') pending.steps.pop();
  pending.steps.push({ result, begun_ms, at_ms });
  if (pending.steps.length > MOST_STEPS) pending.steps.shift();
  pending.last_sample_ms = at_ms;
  if (result !== 'success') pending.last_error = { type: result, message: (sample.error ?? result).slice(0, MESSAGE_LENGTH), at_ms };
}

/** A copy of the state that has these samples too. Any instance computes the same from the same. */
export function withSamples(state: ProviderState, pending: PendingSamples, nowMs: number): ProviderState {
  const stats = noStats();
  mergeStats(stats, state.stats, nowMs);
  mergeStats(stats, pending.stats, nowMs);
  return {
    version: state.version,
    stats,
    circuit: pending.steps.reduce((circuit, step) => nextCircuit(circuit, step, stats), state.circuit),
    last_error: pending.last_error ?? state.last_error,
    last_sample_ms: pending.last_sample_ms ?? state.last_sample_ms,
  };
}

/** One step of the circuit, with the availability of the attempts since it closed. */
export function nextCircuit(circuit: Circuit, step: CircuitStep, stats: HealthStats): Circuit {
  const next = stepCircuit(circuit, step);
  if (step.result !== 'failure') return next;
  return checkAvailability(next, countsSince(stats, step.at_ms, next.closed_at_ms ?? Number.NEGATIVE_INFINITY), step.at_ms);
}

/** Below this score a provider counts as degraded. */
const DEGRADED_BELOW = 0.8;

/** The state as planning reads it. `probing` means that this instance has the right to let one call try. */
export function healthView(state: ProviderState, nowMs: number, probing: boolean): ProviderHealth {
  const { circuit, stats } = state;
  const { n, failures, rate_limited, latency_sum_ms } = windowCounts(stats, nowMs);
  const answered = n - failures - rate_limited;
  const health_score = healthScore(stats, nowMs);
  const { opened_at_ms, retry_at_ms, consecutive_failures } = circuit;
  return {
    health_score,
    success_rate: n === 0 ? 1 : Math.round((answered / n) * 10_000) / 10_000,
    avg_latency_ms: answered === 0 ? null : Math.round(latency_sum_ms / answered),
    samples: n,
    status: statusOf(circuit, health_score, probing),
    circuit: {
      state: circuit.state === 'closed' ? 'closed' : probing ? 'half_open' : 'open',
      opened_at_ms,
      retry_at_ms,
      consecutive_failures,
    },
  };
}

function statusOf({ state, cause }: Circuit, score: number, probing: boolean): ProviderHealth['status'] {
  if (state === 'open' && cause !== 'failures' && !probing) return 'inactive';
  return state === 'open' || score < DEGRADED_BELOW ? 'degraded' : 'active';
}

/** The figures that only the health endpoint shows. */
export function healthFigures({ stats }: ProviderState, nowMs: number) {
  const { n, failures, rate_limited, latencies } = windowCounts(stats, nowMs);
  const day = dayCounts(stats);
  const minutes = WINDOW_MS / 60_000;
  return {
    p95_latency_ms: latencyAt(latencies, 0.95),
    p99_latency_ms: latencyAt(latencies, 0.99),
    requests_per_minute: n / minutes,
    errors_per_minute: (failures + rate_limited) / minutes,
    uptime_percentage: day.n === 0 ? 100 : Math.round((1 - day.failures / day.n) * 10_000) / 100,
    window_seconds: WINDOW_MS / 1_000,
    sample_count: n,
  };
}
