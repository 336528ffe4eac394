import * as z from 'zod';
import { decideRoute, getDecision, replay } from '../../lib/ai/routing/decisions/decision-service.ts';
import { PRIORITIES } from '../../lib/ai/routing/project-settings.ts';
import { MODEL_FEATURES } from '../../lib/ai/routing/providers/provider-config.ts';
import { decideForAccount } from '../../lib/identity/accounts/account-principals.ts';
import { API } from '../identity/dashboard-endpoint.ts';
import { meantProject } from '../identity/meant-project.ts';
import { Advice, adviceOf, DecisionView, decisionView } from './decision-view.ts';
import { asDashboard, type RoutingContext, routingEndpoint, withRight } from './routing-surface.ts';

const tag = 'routing';
/** A priority, also by the name that clients of `/v1/route` use: `cost_optimized`. */
export const PriorityWish = z
  .enum([...PRIORITIES, ...PRIORITIES.map((name) => `${name}_optimized` as const)])
  .transform((name) => z.enum(PRIORITIES).parse(name.replace('_optimized', '')));

const Question = z
  .object({
    model: z.string().min(1).max(300),
    prompt_length: z.int().min(0).max(100_000_000).default(0).describe('In tokens'),
    max_tokens: z.int().min(1).max(100_000_000).default(256),
    priority: PriorityWish.optional(),
    required_features: z.array(z.enum(MODEL_FEATURES)).max(MODEL_FEATURES.length).default([]),
    exclude_providers: z.array(z.string().max(63)).max(50).default([]),
  })
  .meta({ id: 'RoutingQuestion' });
const Weight = z.number().min(0).max(1_000);
const ReplayWishes = z
  .object({
    priority: PriorityWish.optional(),
    weights: z
      .strictObject({ cost: Weight, latency: Weight, quality: Weight, health: Weight })
      .refine((weights) => Object.values(weights).some((weight) => weight > 0), 'must have a weight above 0')
      .optional(),
  })
  .meta({ id: 'ReplayWishes' });
const DecisionParams = z.object({ id: z.string().regex(/^rd_[0-9A-Z]{26}$/, 'must be the id of a decision') });

/** A key's project, or the one that the user's request means. */
const projectOf = (context: RoutingContext): Promise<string> =>
  decideForAccount(context.principal, {
    user: async () => (await meantProject(asDashboard(context), 'providers:read', undefined)).id,
    projectKey: async ({ project_id }) => project_id,
  });

export const decisionEndpoints = [
  routingEndpoint({
    id: 'create_routing_decision',
    method: 'POST',
    path: `${API}/routing/decisions`,
    summary: 'Say which provider would serve a call, and why',
    tag,
    description:
      'Nothing is asked of a provider. `prompt_length` is in tokens; `estimated_cost` is the cost of the prompt and of `max_tokens` of answer in US dollars. Equal states give equal advice. The decision is kept for seven days.',
    ...withRight('providers:read', 'write:routing'),
    body: Question,
    status: 200,
    response: Advice,
    errors: ['MODEL_NOT_FOUND', 'NO_PROVIDER_AVAILABLE', 'PROJECT_NOT_FOUND'],
    async handle(context, { body }) {
      const { services } = context;
      const settings = await services.settings.settingsOf(await projectOf(context));
      const { model, prompt_length, max_tokens, priority, required_features, exclude_providers } = body;
      const { decision } = await decideRoute(services.routing, settings, {
        model,
        prompt_tokens: prompt_length,
        max_output_tokens: max_tokens,
        priority,
        required_features,
        exclude_providers,
        fallbacks: [],
      });
      return adviceOf(decision);
    },
  }),
  routingEndpoint({
    id: 'get_routing_decision',
    method: 'GET',
    path: `${API}/routing/decisions/{id}`,
    summary: 'Explain a decision: every candidate with its features and its score',
    tag,
    ...withRight('providers:read', 'write:routing', 'read:metrics'),
    params: DecisionParams,
    status: 200,
    response: DecisionView,
    errors: ['DECISION_NOT_FOUND'],
    handle: async ({ services }, { params, authorized }) => decisionView(await getDecision(services.routing, authorized, params.id)),
  }),
  routingEndpoint({
    id: 'replay_routing_decision',
    method: 'POST',
    path: `${API}/routing/decisions/{id}/replay`,
    summary: 'Judge the candidates of a decision by other weights',
    tag,
    description: 'By another `priority`, or by `weights` in any proportion. Nothing is stored.',
    ...withRight('providers:read', 'write:routing'),
    params: DecisionParams,
    body: ReplayWishes,
    status: 200,
    response: DecisionView,
    errors: ['DECISION_NOT_FOUND'],
    handle: async ({ services }, { params, body, authorized }) => decisionView(await replay(services.routing, authorized, params.id, body)),
  }),
];
