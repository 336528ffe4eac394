import type { Prices } from '../pricing/prices.ts';
import type { Target } from '../providers/adapter.ts';

/** A model of a provider, as its owner configured it. */
export interface ProviderModel {
  id: string;
  context?: number | undefined;
  max_output_tokens?: number | undefined;
  features?: readonly string[] | undefined;
  /** 0 to 1, from the catalogue or the owner; undefined if unknown. */
  quality?: number | undefined;
  /** 0 to 1, from the catalogue: how fast models of its family are, for as long as nothing was measured. */
  speed?: number | undefined;
  prices?: Prices | undefined;
}

export interface UsableProvider extends Omit<Target, 'model' | 'features' | 'max_output_tokens'> {
  name: string;
  enabled: boolean;
  priority: number;
  /** Its share of the calls among providers of the same priority; undefined if its owner set none, so that the score decides. */
  weight: number | undefined;
  timeout_seconds: number;
  max_retries: number;
  /** The models that its owner listed. Without any, the price book says which ones it has. */
  models: readonly ProviderModel[];
}

export const PRIORITIES = ['balanced', 'cost', 'latency', 'quality', 'reliability'] as const;
export type Priority = (typeof PRIORITIES)[number];

export interface RoutingPolicy {
  priority: Priority;
  max_retries?: number | undefined;
  hedge_after_ms?: number | undefined;
  timeout_seconds?: number | undefined;
  exclude_providers?: readonly string[] | undefined;
  required_features?: readonly string[] | undefined;
}

export interface ModelGroup {
  id: string;
  targets: readonly { model: string; weight?: number | undefined; priority?: number | undefined }[];
  priority?: Priority | undefined;
}

export interface PriceOverride {
  id: string;
  provider: string;
  model: string;
  prices: Prices;
  /** Milliseconds since the epoch; the override holds from then on. */
  valid_from_ms: number;
}

export interface CacheSettings {
  strategy: 'exact' | 'semantic' | 'disabled';
  ttl_seconds: number;
  similarity_threshold: number;
  embedding_model: string | null;
}

export interface BudgetReference {
  id: string;
  scope: 'organization' | 'project' | 'api_key';
  scope_id: string;
  period: 'day' | 'week' | 'month';
  limit_pico_usd: bigint;
}

/**
 * Everything about a project that a call needs, read at once and kept for at most five seconds. Decisions that spend rest on the store,
 * not on this.
 */
export interface ProjectSettings {
  organization_id: string;
  project_id: string;
  plan: string;
  requests_per_minute: number;
  active: boolean;
  providers: readonly UsableProvider[];
  groups: readonly ModelGroup[];
  policy: RoutingPolicy;
  prices: readonly PriceOverride[];
  budgets: readonly BudgetReference[];
  cache: CacheSettings;
  capture: 'none' | 'metadata' | 'full';
  redact: readonly string[];
}
