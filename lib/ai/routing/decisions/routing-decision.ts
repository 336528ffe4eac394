import * as z from 'zod';
import type { Candidate, PlanRequest, RoutingPlan } from '../plan-types.ts';
import { rank } from '../planning/attempt-order.ts';
import { SCORE_WEIGHTS, scoreOf } from '../planning/candidate-scores.ts';
import { PRIORITIES, type Priority } from '../project-settings.ts';

const Part = z.number().min(0).max(1);
const Features = z.object({ cost: Part, latency: Part, quality: Part, health: Part });

const DecisionCandidate = z.object({
  provider: z.string(),
  model: z.string(),
  priority: z.number(),
  features: Features,
  score: z.number(),
  /** Digits: 10⁻¹² US dollars. */
  estimated_cost_pico_usd: z.string().nullable(),
  estimated_latency_ms: z.number().nullable(),
  /** The place among the attempts, from 1 on; null if it is not tried. */
  attempt: z.int().nullable(),
  excluded: z.string().nullable(),
  avoided: z.string().nullable(),
});
export type DecisionCandidate = z.infer<typeof DecisionCandidate>;

/** A decision as it is kept for seven days: everything that it was made of, so that it can be explained and made again. */
export const RoutingDecision = z.object({
  id: z.string(),
  organization_id: z.string(),
  project_id: z.string(),
  created_at: z.iso.datetime(),
  requested_model: z.string(),
  prompt_tokens: z.int(),
  max_output_tokens: z.int(),
  required_features: z.array(z.string()),
  exclude_providers: z.array(z.string()),
  priority: z.enum(PRIORITIES),
  weights: Features,
  reason: z.string(),
  /** The best first. */
  candidates: z.array(DecisionCandidate),
});
export type RoutingDecision = z.infer<typeof RoutingDecision>;

export interface DecisionOwner {
  organization_id: string;
  project_id: string;
}

/** The decision that a plan for this request stands for. */
export function decisionOf(plan: RoutingPlan, request: PlanRequest, owner: DecisionOwner, nowMs: number): RoutingDecision {
  return {
    id: plan.decision_id,
    organization_id: owner.organization_id,
    project_id: owner.project_id,
    created_at: new Date(nowMs).toISOString(),
    requested_model: plan.requested_model,
    prompt_tokens: request.prompt_tokens,
    max_output_tokens: request.max_output_tokens,
    required_features: [...request.required_features],
    exclude_providers: [...request.exclude_providers],
    priority: plan.priority,
    weights: SCORE_WEIGHTS[plan.priority],
    reason: plan.reason,
    candidates: plan.candidates.map((candidate) => candidateOf(candidate, plan.attempts.indexOf(candidate))),
  };
}

const candidateOf = (candidate: Candidate, attempt: number): DecisionCandidate => ({
  provider: candidate.provider.provider_id,
  model: candidate.model.id,
  priority: candidate.priority,
  features: candidate.features,
  score: candidate.score,
  estimated_cost_pico_usd: candidate.estimated_cost_pico_usd === null ? null : String(candidate.estimated_cost_pico_usd),
  estimated_latency_ms: candidate.estimated_latency_ms,
  attempt: attempt < 0 ? null : attempt + 1,
  excluded: candidate.excluded ?? null,
  avoided: candidate.avoided ?? null,
});

/** The candidates that may be asked, the best first. Chance by weights has no part in it, so that equal states give equal advice. */
export const recommended = ({ candidates }: RoutingDecision): DecisionCandidate[] => candidates.filter(({ attempt }) => attempt !== null);

export interface ReplayWishes {
  priority?: Priority | undefined;
  /** In any proportion; at least one is above zero. */
  weights?: DecisionCandidate['features'] | undefined;
}

/** The same situation judged by other weights. Who may not be asked stays out. */
export function replayDecision(decision: RoutingDecision, { priority = decision.priority, weights }: ReplayWishes): RoutingDecision {
  const applied = normalized(weights ?? SCORE_WEIGHTS[priority]);
  const scored = decision.candidates.map((candidate) => ({ ...candidate, score: scoreOf(candidate.features, applied) }));
  const byScore = weights === undefined ? priority : 'cost';
  const ranked = rank(
    scored.map((candidate) => ({ candidate, name: `${candidate.provider}/${candidate.model}`, priority: candidate.priority })),
    byScore,
  ).map(({ candidate }) => candidate);
  let attempts = 0;
  const candidates = ranked.map((candidate) => (candidate.attempt === null ? candidate : { ...candidate, attempt: ++attempts }));
  const [first] = candidates.filter(({ attempt }) => attempt !== null);
  const reason = first ? `${first.provider}/${first.model}: the best of the replay, with the score ${first.score}` : decision.reason;
  return { ...decision, priority, weights: applied, reason, candidates };
}

function normalized({ cost, latency, quality, health }: DecisionCandidate['features']): DecisionCandidate['features'] {
  const sum = cost + latency + quality + health;
  return { cost: cost / sum, latency: latency / sum, quality: quality / sum, health: health / sum };
}
