import { createCatalogue } from '../../../lib/ai/routing/catalogue/model-catalogue.ts';
import type { PlanRequest, ProviderHealth, RoutingPlan } from '../../../lib/ai/routing/plan-types.ts';
import { planAttempts } from '../../../lib/ai/routing/planning/plan-attempts.ts';
import type { ProjectSettings, ProviderModel, UsableProvider } from '../../../lib/ai/routing/project-settings.ts';
import { simulatedProvider } from '../../../lib/ai/routing/read-project-settings.ts';
import { PROJECT_DEFAULTS } from './routing-world.ts';

/** The models that the book of these tests knows, by the type of provider, with prices for a million tokens. */
const BOOK: Record<string, Record<string, { input: number; output: number; context?: number }>> = {
  openai: {
    'gpt-4o': { input: 5, output: 15 },
    'gpt-4o-mini': { input: 0.15, output: 0.6 },
    'gpt-4': { input: 30, output: 60, context: 8_192 },
  },
  azure: { 'gpt-4o': { input: 5, output: 15 } },
  anthropic: { 'claude-3-5-sonnet': { input: 3, output: 15 } },
};

export const provider = (provider_id: string, given: Partial<UsableProvider> = {}): UsableProvider => ({
  provider_id,
  type: 'openai-compatible',
  base_url: `https://${provider_id}.example/v1`,
  api_key: 'k',
  name: provider_id,
  enabled: true,
  priority: 0,
  weight: undefined,
  timeout_seconds: 30,
  max_retries: 2,
  models: [],
  ...given,
});
export const priced = (id: string, input: number, more: Partial<ProviderModel> = {}): ProviderModel => ({
  id,
  prices: { input, output: input },
  ...more,
});

export const health = (given: Partial<ProviderHealth> = {}): ProviderHealth => ({
  health_score: 1,
  success_rate: 1,
  avg_latency_ms: null,
  samples: 100,
  status: 'active',
  circuit: { state: 'closed', opened_at_ms: null, retry_at_ms: null, consecutive_failures: 0 },
  ...given,
});
export const open = health({
  status: 'degraded',
  circuit: { state: 'open', opened_at_ms: 0, retry_at_ms: 30_000, consecutive_failures: 5 },
});

export interface Situation extends Partial<Omit<PlanRequest, 'model'>> {
  providers?: readonly UsableProvider[];
  settings?: Partial<ProjectSettings>;
  health?: Record<string, ProviderHealth>;
  random?: () => number;
}

/** Plans a call of 1,000 tokens in and 100 out. */
export function plan(
  model: string,
  { providers = [], settings = {}, health = {}, random = () => 0.5, ...request }: Situation = {},
): RoutingPlan {
  return planAttempts(
    {
      model,
      prompt_tokens: 1_000,
      max_output_tokens: 100,
      priority: undefined,
      required_features: [],
      exclude_providers: [],
      fallbacks: [],
      ...request,
    },
    {
      ...PROJECT_DEFAULTS,
      organization_id: 'o',
      project_id: 'p',
      groups: [],
      policy: { priority: 'balanced' },
      prices: [],
      budgets: [],
      ...settings,
      providers: [...providers, simulatedProvider],
    },
    new Map(Object.entries(health)),
    random,
    {
      decision_id: 'rd_1',
      at_ms: 0,
      catalogue: createCatalogue({
        find: ({ type }, id) => BOOK[type]?.[id],
        list: ({ type }) => Object.keys(BOOK[type] ?? {}),
      }),
      pricesOf(_settings, { type, models }, id) {
        const prices = models.find((model) => model.id === id)?.prices ?? BOOK[type]?.[id];
        return prices && { prices: { input: prices.input ?? 0, output: prices.output ?? 0 }, source: 'test' };
      },
    },
  );
}

export const tried = (made: RoutingPlan): string[] => made.attempts.map(({ target }) => `${target.provider_id}/${target.model}`);
