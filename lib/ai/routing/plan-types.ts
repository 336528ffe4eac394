import type { FoundPrices } from '../pricing/prices.ts';
import type { Target } from '../providers/adapter.ts';
import type { Priority, ProviderModel, UsableProvider } from './project-settings.ts';

/** What is known about a provider's health, shared by all instances and seconds old. */
export interface ProviderHealth {
  health_score: number;
  success_rate: number;
  avg_latency_ms: number | null;
  circuit: {
    state: 'closed' | 'open' | 'half_open';
    opened_at_ms: number | null;
    retry_at_ms: number | null;
    consecutive_failures: number;
  };
  samples: number;
  /** `inactive`: the provider refuses our key, or its account is exhausted. */
  status: 'active' | 'degraded' | 'inactive';
}

export interface PlanRequest {
  /** As the caller wrote it. */
  model: string;
  prompt_tokens: number;
  max_output_tokens: number;
  /** The caller's own wish; undefined if it has none, so that the group's or the project's holds. */
  priority: Priority | undefined;
  required_features: readonly string[];
  exclude_providers: readonly string[];
  /** `provider/model`, tried in this order after the planned attempts. */
  fallbacks: readonly string[];
}

/** A model at a provider that could serve the call, with the features that its score was made of. */
export interface Candidate {
  target: Target;
  provider: UsableProvider;
  model: ProviderModel;
  prices: FoundPrices | undefined;
  estimated_cost_pico_usd: bigint | null;
  estimated_latency_ms: number | null;
  features: { cost: number; latency: number; quality: number; health: number };
  score: number;
  /** Of the provider, or of the group's target: the higher one is first. */
  priority: number;
  /** Why it is not tried; undefined if it is. */
  excluded?: string | undefined;
  /** Why it is tried only if nothing else is left. */
  avoided?: string | undefined;
}

export interface RoutingPlan {
  decision_id: string;
  /** What was planned for; undefined for a call that was answered without a plan. */
  request?: PlanRequest | undefined;
  requested_model: string;
  priority: Priority;
  reason: string;
  /** Every candidate, the best first. */
  candidates: readonly Candidate[];
  /** The order in which they are tried. */
  attempts: readonly Candidate[];
  hedge_after_ms?: number | undefined;
}
