import * as z from 'zod';
import { usdOf } from '../../lib/ai/pricing/pico-usd.ts';
import { type DecisionCandidate, type RoutingDecision, recommended } from '../../lib/ai/routing/decisions/routing-decision.ts';
import { PRIORITIES } from '../../lib/ai/routing/project-settings.ts';

const Estimates = { estimated_cost: z.number().nullable(), estimated_latency_ms: z.number().nullable() };
const Features = z.object({ cost: z.number(), latency: z.number(), quality: z.number(), health: z.number() });

const advice = {
  decision_id: z.string(),
  model: z.string(),
  recommended_provider: z.string().nullable(),
  recommended_model: z.string().nullable(),
  confidence_score: z.number().nullable(),
  ...Estimates,
  reason: z.string(),
  alternatives: z.array(z.object({ provider: z.string(), model: z.string(), confidence_score: z.number(), ...Estimates })),
};
export const Advice = z.object(advice).meta({ id: 'RoutingAdvice' });

export const DecisionView = z
  .object({
    ...advice,
    project_id: z.string(),
    created_at: z.iso.datetime(),
    priority: z.enum(PRIORITIES),
    weights: Features,
    request: z.object({
      prompt_length: z.int(),
      max_tokens: z.int(),
      required_features: z.array(z.string()),
      exclude_providers: z.array(z.string()),
    }),
    candidates: z.array(
      z.object({
        provider: z.string(),
        model: z.string(),
        priority: z.number(),
        features: Features,
        confidence_score: z.number(),
        ...Estimates,
        attempt: z.int().nullable(),
        excluded: z.string().nullable(),
        avoided: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: 'RoutingDecision' });

const usd = (pico: string | null): number | null => (pico === null ? null : usdOf(BigInt(pico)));
const estimatesOf = ({ estimated_cost_pico_usd, estimated_latency_ms }: DecisionCandidate) => ({
  estimated_cost: usd(estimated_cost_pico_usd),
  estimated_latency_ms,
});

/** The advice that a decision gives. Costs are US dollars. */
export function adviceOf(decision: RoutingDecision): z.infer<typeof Advice> {
  const [first, ...others] = recommended(decision);
  return {
    decision_id: decision.id,
    model: decision.requested_model,
    recommended_provider: first?.provider ?? null,
    recommended_model: first?.model ?? null,
    confidence_score: first?.score ?? null,
    estimated_cost: first ? estimatesOf(first).estimated_cost : null,
    estimated_latency_ms: first?.estimated_latency_ms ?? null,
    reason: decision.reason,
    alternatives: others.map((one) => ({ provider: one.provider, model: one.model, confidence_score: one.score, ...estimatesOf(one) })),
  };
}

export const decisionView = (decision: RoutingDecision): z.infer<typeof DecisionView> => ({
  ...adviceOf(decision),
  project_id: decision.project_id,
  created_at: decision.created_at,
  priority: decision.priority,
  weights: decision.weights,
  request: {
    prompt_length: decision.prompt_tokens,
    max_tokens: decision.max_output_tokens,
    required_features: decision.required_features,
    exclude_providers: decision.exclude_providers,
  },
  candidates: decision.candidates.map((candidate) => ({ ...candidate, confidence_score: candidate.score, ...estimatesOf(candidate) })),
});
