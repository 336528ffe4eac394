import { AppError } from '../../../platform/errors.ts';
import { costOf } from '../../pricing/cost.ts';
import type { FoundPrices } from '../../pricing/prices.ts';
import { NO_USAGE } from '../../pricing/usage.ts';
import type { ModelCatalogue } from '../catalogue/model-catalogue.ts';
import type { Candidate, PlanRequest, ProviderHealth, RoutingPlan } from '../plan-types.ts';
import type { Priority, ProjectSettings, ProviderModel, UsableProvider } from '../project-settings.ts';
import { type Ranked, rank, spread } from './attempt-order.ts';
import { featuresOf, SCORE_WEIGHTS, scoreOf } from './candidate-scores.ts';
import { type Place, type ResolvedName, resolveModelName } from './model-names.ts';

/** What planning needs to know beside the request, the settings and health. */
export interface PlanContext {
  decision_id: string;
  /** The time for which prices hold. */
  at_ms: number;
  catalogue: ModelCatalogue;
  pricesOf(settings: ProjectSettings, provider: UsableProvider, model: string, atMs: number): FoundPrices | undefined;
}

export type HealthByProvider = ReadonlyMap<string, ProviderHealth>;
/** The parts of settings that planning reads. */
export type PlanSettings = ProjectSettings;

/** Health of a provider that nothing is known of. */
const UNMEASURED: Pick<ProviderHealth, 'health_score' | 'avg_latency_ms'> = { health_score: 1, avg_latency_ms: null };
/** A call is not tried in more places than this, however many could serve it. */
const MAX_ATTEMPTS = 10;

/**
 * Decides where a call is tried, and in which order. What the project's policy asks for holds beside the request's own wishes. The same input gives the same plan, in whatever order providers are listed. Throws
 * `model_not_found` if nothing has this name. A plan without attempts means that no provider may be asked now.
 */
export function planAttempts(
  request: PlanRequest,
  settings: PlanSettings,
  health: HealthByProvider,
  random: () => number,
  context: PlanContext,
): RoutingPlan {
  const resolved = resolveModelName(request.model, settings, context.catalogue);
  if (!resolved) throw modelNotFound(request.model);
  const priority = request.priority ?? resolved.group?.priority ?? settings.policy.priority;
  const wanted: Ranking = { request, settings, health, context, priority };
  const planned = ranked(distinct(resolved.places), wanted);
  const fallbacks = fallbackPlaces(request, settings, context.catalogue, planned);
  const appended = inGivenOrder(ranked(fallbacks, wanted), fallbacks);
  const attempts = attemptsOf(spread(planned, priority, random), appended);
  return {
    decision_id: context.decision_id,
    request,
    requested_model: request.model,
    priority,
    reason: reasonOf(attempts, planned, resolved, priority),
    candidates: [...planned, ...appended].map(({ candidate }) => candidate),
    attempts,
    ...(settings.policy.hedge_after_ms !== undefined && { hedge_after_ms: settings.policy.hedge_after_ms }),
  };
}

interface Ranking {
  request: PlanRequest;
  settings: PlanSettings;
  health: HealthByProvider;
  context: PlanContext;
  priority: Priority;
}

function ranked(places: readonly Place[], wanted: Ranking): Ranked[] {
  const { request, settings, health, context, priority } = wanted;
  const measured = places.map(({ provider, model }) => {
    const prices = context.pricesOf(settings, provider, model.id, context.at_ms);
    const { health_score, avg_latency_ms } = health.get(provider.provider_id) ?? UNMEASURED;
    const cost_pico_usd = prices === undefined ? null : estimatedCost(prices, model, request);
    const excluded = whyExcluded(provider, model, wanted);
    const { quality, speed } = model;
    return { prices, cost_pico_usd, latency_ms: avg_latency_ms, quality, speed, health_score, excluded, possible: excluded === undefined };
  });
  const features = featuresOf(measured);
  const all = places.map((place, index): Ranked => {
    const { provider, model } = place;
    const { prices, cost_pico_usd = null, latency_ms = null, excluded } = measured[index] ?? {};
    const own = features[index] ?? { cost: 0, latency: 0, quality: 0, health: 0 };
    const candidate: Candidate = {
      target: targetOf(provider, model),
      provider,
      model,
      prices,
      estimated_cost_pico_usd: cost_pico_usd,
      estimated_latency_ms: latency_ms,
      features: own,
      score: scoreOf(own, SCORE_WEIGHTS[priority]),
      priority: place.priority,
      excluded,
      avoided: whyAvoided(health.get(provider.provider_id), model, request, context.at_ms),
    };
    return { candidate, name: `${provider.provider_id}/${model.id}`, priority: place.priority, weight: place.weight };
  });
  return rank(all, priority);
}

function targetOf(provider: UsableProvider, model: ProviderModel): Candidate['target'] {
  const { provider_id, type, base_url, api_key, without_stream_usage } = provider;
  const { features, max_output_tokens } = model;
  return {
    provider_id,
    type,
    base_url,
    api_key,
    model: model.id,
    features,
    max_output_tokens,
    ...(without_stream_usage !== undefined && { without_stream_usage }),
  };
}

/** The whole prompt at the plain price, and as many tokens of output as may come. */
function estimatedCost({ prices }: FoundPrices, model: ProviderModel, request: PlanRequest): bigint {
  const input = request.prompt_tokens;
  const output = Math.min(request.max_output_tokens, model.max_output_tokens ?? Number.POSITIVE_INFINITY);
  return costOf({ ...NO_USAGE, input, output, prompt_tokens: input, completion_tokens: output }, prices).pico_usd;
}

/** Reasons that nothing overrides. */
function whyExcluded({ provider_id, enabled }: UsableProvider, { features }: ProviderModel, wanted: Ranking): string | undefined {
  const { request, settings } = wanted;
  const { exclude_providers = [], required_features = [] } = settings.policy;
  if (!enabled) return 'the provider is disabled';
  if (request.exclude_providers.includes(provider_id)) return 'the call excludes the provider';
  if (exclude_providers.includes(provider_id)) return 'the project excludes the provider';
  const missing = features && [...request.required_features, ...required_features].find((feature) => !features.includes(feature));
  return missing && `the model has no ${missing}`;
}

/** Reasons for which a candidate is tried only if nothing else is left. */
function whyAvoided(
  health: ProviderHealth | undefined,
  { context }: ProviderModel,
  request: PlanRequest,
  atMs: number,
): string | undefined {
  if (health?.status === 'inactive') return 'the provider is inactive';
  if (health?.circuit.state === 'open') {
    const { retry_at_ms } = health.circuit;
    return retry_at_ms === null
      ? 'the circuit is open'
      : `the circuit is open for ${Math.max(0, Math.ceil((retry_at_ms - atMs) / 1000))} s`;
  }
  // The number of tokens is an upper estimate, so that the prompt may fit after all.
  if (context !== undefined && request.prompt_tokens > context) return `the prompt may exceed the context of ${context} tokens`;
  return undefined;
}

function distinct(places: readonly Place[]): Place[] {
  const seen = new Set<string>();
  return places.filter(({ provider, model }) => {
    const name = `${provider.provider_id}/${model.id}`;
    return !seen.has(name) && seen.add(name);
  });
}

/** The places of the caller's fallbacks that are not planned already. A fallback that nothing serves is left out. */
function fallbackPlaces(request: PlanRequest, settings: PlanSettings, catalogue: ModelCatalogue, planned: readonly Ranked[]): Place[] {
  const known = new Set(planned.map(({ name }) => name));
  const named = request.fallbacks.flatMap((name) => resolveModelName(name, settings, catalogue)?.places ?? []);
  return distinct(named).filter(({ provider, model }) => !known.has(`${provider.provider_id}/${model.id}`));
}

const inGivenOrder = (all: readonly Ranked[], places: readonly Place[]): Ranked[] =>
  [...all].sort((a, b) => indexOf(places, a) - indexOf(places, b));
const indexOf = (places: readonly Place[], { candidate }: Ranked): number =>
  places.findIndex(({ provider, model }) => provider === candidate.provider && model.id === candidate.model.id);

/** Planned candidates, then fallbacks. Those to avoid are tried only if there is no other. */
function attemptsOf(planned: readonly Ranked[], fallbacks: readonly Ranked[]): Candidate[] {
  const possible = [...planned, ...fallbacks].map(({ candidate }) => candidate).filter(({ excluded }) => excluded === undefined);
  const good = possible.filter(({ avoided }) => avoided === undefined);
  return (good.length > 0 ? good : possible).slice(0, MAX_ATTEMPTS);
}

function reasonOf(attempts: readonly Candidate[], planned: readonly Ranked[], { group }: ResolvedName, priority: Priority): string {
  const [first] = attempts;
  const of = group ? ` of the group ${group.id}` : '';
  if (!first && planned.length === 0) return `no target${of} names a provider of this project`;
  if (!first) return `no provider${of} may be asked: ${planned.map(({ candidate }) => whyNot(candidate)).join('; ')}`;
  const name = `${first.provider.provider_id}/${first.model.id}`;
  if (!planned.some(({ candidate }) => candidate === first)) return `${name}: a fallback, because no planned provider may be asked`;
  if (first.avoided !== undefined) return `${name}: nothing else is left, although ${first.avoided}`;
  const left = attempts.length === 1 ? 'the only one' : `the first of ${attempts.length}`;
  return `${name}: ${left}${of} for the priority ${priority}, with the score ${first.score}`;
}

const whyNot = ({ provider, excluded, avoided }: Candidate): string => `${provider.provider_id}: ${excluded ?? avoided ?? 'not tried'}`;

const modelNotFound = (model: string): AppError =>
  new AppError('not_found', `The model \`${model.slice(0, 200)}\` does not exist, or no provider of this project serves it.`, {
    code: 'model_not_found',
    details: { param: 'model' },
  });
