import * as z from 'zod';
import { healthFigures, healthView, newState, type ProviderState } from '../../lib/ai/routing/health/provider-state.ts';
import {
  ModelSettings,
  PresetName,
  ProviderKindName,
  SIMULATED,
  type StoredProvider,
} from '../../lib/ai/routing/providers/provider-config.ts';
import { simulatedProvider } from '../../lib/ai/routing/read-project-settings.ts';

const CircuitState = z.enum(['closed', 'open', 'half_open']);
const ProviderStatus = z.enum(['active', 'degraded', 'inactive', 'maintenance']);

export const Provider = z
  .object({
    id: z.string(),
    name: z.string(),
    type: z.union([ProviderKindName, z.literal(SIMULATED)]),
    preset: PresetName.nullable(),
    status: ProviderStatus,
    /** The ids; empty if the provider has all models that the price book knows of it. */
    models: z.array(z.string()),
    model_settings: z.array(ModelSettings),
    health_score: z.number(),
    avg_latency_ms: z.number().nullable(),
    success_rate: z.number(),
    enabled: z.boolean(),
    priority: z.int(),
    weight: z.number(),
    circuit_state: CircuitState,
    base_url: z.string().nullable(),
    api_key_preview: z.string().nullable(),
    timeout_seconds: z.int(),
    max_retries: z.int(),
    stream_usage: z.boolean(),
    project_id: z.string().nullable(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'Provider' });
type Provider = z.infer<typeof Provider>;

const statusOf = (enabled: boolean, status: Provider['status']): Provider['status'] => (enabled ? status : 'inactive');

/** A provider as its organization sees it: never with its key. */
export function providerView(stored: StoredProvider, state: ProviderState | undefined, nowMs: number): Provider {
  const { kind, preset = null, models, weight = 1, stream_usage = true, enabled } = stored;
  const { health_score, avg_latency_ms, success_rate, status, circuit } = healthView(state ?? newState(), nowMs, false);
  return {
    ...stored,
    type: kind,
    preset,
    models: models.map(({ id }) => id),
    model_settings: models,
    weight,
    stream_usage,
    status: statusOf(enabled, status),
    health_score,
    avg_latency_ms,
    success_rate,
    circuit_state: circuit.state,
  };
}

const SINCE = '2025-01-01T00:00:00.000Z';
/** The provider that nobody creates. */
export function simulatedView(state: ProviderState | undefined, nowMs: number): Provider {
  const { name, priority, timeout_seconds, max_retries, models } = simulatedProvider;
  const { health_score, avg_latency_ms, success_rate, circuit } = healthView(state ?? newState(), nowMs, false);
  return {
    id: SIMULATED,
    name,
    type: SIMULATED,
    preset: null,
    status: 'active',
    models: models.map(({ id }) => id),
    model_settings: [],
    health_score,
    avg_latency_ms,
    success_rate,
    enabled: true,
    priority,
    weight: 1,
    circuit_state: circuit.state,
    base_url: null,
    api_key_preview: null,
    timeout_seconds,
    max_retries,
    stream_usage: true,
    project_id: null,
    created_at: SINCE,
    updated_at: SINCE,
  };
}

const time = z.iso.datetime();
export const ProviderHealth = z
  .object({
    provider_id: z.string(),
    status: ProviderStatus,
    health_score: z.number(),
    success_rate: z.number(),
    avg_latency_ms: z.number().nullable(),
    p95_latency_ms: z.number().nullable(),
    p99_latency_ms: z.number().nullable(),
    requests_per_minute: z.number(),
    errors_per_minute: z.number(),
    last_error: z.object({ type: z.string(), message: z.string(), at: time }).nullable(),
    uptime_percentage: z.number(),
    circuit: z.object({
      state: CircuitState,
      opened_at: time.nullable(),
      retry_at: time.nullable(),
      consecutive_failures: z.int(),
    }),
    window_seconds: z.int(),
    sample_count: z.int(),
    last_checked_at: time.nullable(),
  })
  .meta({ id: 'ProviderHealth' });

const at = (ms: number): string => new Date(ms).toISOString();
const atOrNull = (ms: number | null): string | null => (ms === null ? null : at(ms));

export function providerHealthView(
  id: string,
  enabled: boolean,
  known: ProviderState | undefined,
  nowMs: number,
): z.infer<typeof ProviderHealth> {
  const state = known ?? newState();
  const { status, health_score, success_rate, avg_latency_ms, circuit } = healthView(state, nowMs, false);
  const { last_error } = state;
  return {
    provider_id: id,
    status: statusOf(enabled, status),
    health_score,
    success_rate,
    avg_latency_ms,
    ...healthFigures(state, nowMs),
    last_error: last_error && { type: last_error.type, message: last_error.message, at: at(last_error.at_ms) },
    circuit: {
      state: circuit.state,
      opened_at: atOrNull(circuit.opened_at_ms),
      retry_at: atOrNull(circuit.retry_at_ms),
      consecutive_failures: circuit.consecutive_failures,
    },
    last_checked_at: atOrNull(state.last_sample_ms),
  };
}
