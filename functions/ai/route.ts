import * as z from 'zod';
import { usdOf } from '../../lib/ai/pricing/pico-usd.ts';
import { estimatePromptTokens } from '../../lib/ai/pricing/token-estimate.ts';
import type { Target } from '../../lib/ai/providers/adapter.ts';
import { adapterFor } from '../../lib/ai/providers/adapters.ts';
import { decideRoute } from '../../lib/ai/routing/decisions/decision-service.ts';
import { recommended } from '../../lib/ai/routing/decisions/routing-decision.ts';
import { AppError } from '../../lib/platform/errors.ts';
import { reply } from '../../lib/platform/http/endpoint.ts';
import { renderEnvelope } from '../identity/dashboard-surface.ts';
import { runtime } from '../runtime.ts';
import { adviceOf } from './decision-view.ts';
import { inferenceEndpoint, inferenceFunction, withScope } from './inference-endpoint.ts';
import { PriorityWish } from './routing-decisions.ts';
import { callPlanner, projectSettings, routingCommit } from './routing-parts.ts';

const BODY_LIMIT_BYTES = 5 * 1024 * 1024;
const RouteQuestion = z
  .looseObject({
    model: z.string().min(1).max(300),
    provider: z.string().min(1).max(63).optional(),
    messages: z.array(z.unknown()).min(1).optional(),
    prompt: z.union([z.string(), z.array(z.unknown())]).optional(),
    max_tokens: z.int().min(1).max(100_000_000).default(256),
    strategy: PriorityWish.default('cost'),
    metadata: z.record(z.string(), z.unknown()).default({}),
  })
  .meta({ id: 'RouteQuestion' });

/** The address that would be asked. It has no credentials: keys travel in headers. */
function addressOf(target: Target): string {
  if (target.type === 'simulated') return 'simulated';
  const request = { model: target.model, messages: [{ role: 'user', content: '.' }] };
  return adapterFor(target.type).chat({ request, forwarded: {} }, target).url;
}

export const routeEndpoints = [
  inferenceEndpoint({
    id: 'route',
    method: 'POST',
    path: '/v1/route',
    summary: 'Say where a request would go, without sending it',
    description: 'Takes the request with `messages` or `prompt`, whose tokens are estimated. The decision is kept for seven days.',
    tag: 'inference',
    access: withScope('write:routing'),
    body: RouteQuestion,
    bodyLimitBytes: BODY_LIMIT_BYTES,
    status: 200,
    async handle({ principal, request }, { body }) {
      const { model, provider, messages, prompt, max_tokens, strategy, metadata } = body;
      if (messages === undefined && prompt === undefined)
        throw new AppError('bad_request', 'One of messages and prompt is needed.', {
          code: 'invalid_value',
          details: { param: 'messages' },
        });
      const settings = await projectSettings().settingsOf(principal.project_id);
      const ports = { clock: runtime().clock, commit: routingCommit(), plan: await callPlanner() };
      const { decision, plan } = await decideRoute(ports, settings, {
        model: provider === undefined ? model : `${provider}/${model}`,
        prompt_tokens: estimatePromptTokens(body),
        max_output_tokens: max_tokens,
        priority: strategy,
        required_features: [],
        exclude_providers: [],
        fallbacks: [],
      });
      const [first] = recommended(decision);
      const chosen = plan.candidates.find(({ target }) => target.provider_id === first?.provider && target.model === first.model);
      if (!chosen) throw new AppError('unavailable', plan.reason, { code: 'no_provider_available' });
      const answer = {
        provider: chosen.target.provider_id,
        model: chosen.target.model,
        endpoint: addressOf(chosen.target),
        strategy: `${plan.priority}_optimized`,
        estimated_cost: chosen.estimated_cost_pico_usd === null ? null : usdOf(chosen.estimated_cost_pico_usd),
        estimated_latency: chosen.estimated_latency_ms,
        quality_score: chosen.model.quality ?? null,
        cache_hit: false,
        provider_health: chosen.features.health,
        metadata,
        decision_id: decision.id,
        alternatives: adviceOf(decision).alternatives,
      };
      const { headers, body: text } = renderEnvelope(200, JSON.stringify(answer), request);
      return reply<never>({ headers, text: String(text) });
    },
  }),
];
export const handler = inferenceFunction(routeEndpoints);
