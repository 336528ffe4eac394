import * as z from 'zod';
import { GroupId, ModelGroupChange, NewModelGroup, StoredModelGroup } from '../../lib/ai/routing/configuration/model-group.ts';
import {
  createModelGroup,
  getModelGroup,
  listModelGroups,
  removeModelGroup,
  updateModelGroup,
} from '../../lib/ai/routing/configuration/model-group-service.ts';
import { NewPriceOverride, StoredPriceOverride } from '../../lib/ai/routing/configuration/price-override.ts';
import {
  createPriceOverride,
  getPriceOverride,
  listPriceOverrides,
  removePriceOverride,
} from '../../lib/ai/routing/configuration/price-override-service.ts';
import { NewRoutingPolicy } from '../../lib/ai/routing/configuration/routing-policy.ts';
import { getRoutingPolicy, setRoutingPolicy } from '../../lib/ai/routing/configuration/routing-policy-service.ts';
import { PRIORITIES } from '../../lib/ai/routing/project-settings.ts';
import { Ulid } from '../../lib/identity/accounts/account-schemas.ts';
import { API, ProjectParams } from '../identity/dashboard-endpoint.ts';
import { PageQuery, pagedAnswer } from '../identity/paged-answer.ts';
import { changerOf, changing, creating, inPathProject, routingEndpoint, withRight } from './routing-surface.ts';

const tag = 'routing';
const GROUPS = `${API}/routing/groups` as const;
const PRICES = `${API}/routing/prices` as const;
const POLICY = `${API}/projects/{project_id}/routing-policy` as const;

const ModelGroup = StoredModelGroup.omit({ version: true, organization_id: true })
  .extend({ priority: z.enum(PRIORITIES).nullable() })
  .meta({ id: 'ModelGroup' });
const groupView = (group: StoredModelGroup): z.infer<typeof ModelGroup> => ({ ...group, priority: group.priority ?? null });
const PriceOverride = StoredPriceOverride.omit({ organization_id: true }).meta({ id: 'PriceOverride' });
const GroupParams = z.object({ id: GroupId });
const PriceParams = z.object({ id: Ulid });

export const configurationEndpoints = [
  routingEndpoint({
    id: 'list_model_groups',
    method: 'GET',
    path: GROUPS,
    summary: 'List the model groups',
    tag,
    ...withRight('providers:read'),
    query: PageQuery,
    status: 200,
    response: z.array(ModelGroup),
    handle: async ({ services }, { query, authorized }) =>
      pagedAnswer((await listModelGroups(services.routing, authorized.organization_id)).map(groupView), query),
  }),
  routingEndpoint({
    id: 'create_model_group',
    method: 'POST',
    path: GROUPS,
    summary: 'Create a model group',
    tag,
    description:
      'A call asks for it by `model: "<id>"`, which is looked up before any provider. Only a group sends a call to a different model than it asked for.',
    ...withRight('settings:write'),
    body: NewModelGroup,
    status: 201,
    response: ModelGroup,
    errors: ['NAME_ALREADY_EXISTS', 'LIMIT_REACHED', 'IDEMPOTENCY_CONFLICT'],
    handle: async (context, { body, authorized }) =>
      groupView(await creating(context, authorized, body, (ports, caller) => createModelGroup(ports, caller, body))),
  }),
  routingEndpoint({
    id: 'get_model_group',
    method: 'GET',
    path: `${GROUPS}/{id}`,
    summary: 'Fetch a model group',
    tag,
    ...withRight('providers:read'),
    params: GroupParams,
    status: 200,
    response: ModelGroup,
    errors: ['MODEL_GROUP_NOT_FOUND'],
    handle: async ({ services }, { params, authorized }) => groupView(await getModelGroup(services.routing, authorized, params.id)),
  }),
  routingEndpoint({
    id: 'update_model_group',
    method: 'PATCH',
    alsoBy: ['PUT'],
    path: `${GROUPS}/{id}`,
    summary: 'Change a model group',
    tag,
    ...withRight('settings:write'),
    params: GroupParams,
    body: ModelGroupChange,
    status: 200,
    response: ModelGroup,
    errors: ['MODEL_GROUP_NOT_FOUND', 'VERSION_CONFLICT'],
    handle: async (context, { params, body, authorized }) =>
      groupView(
        await changing(context, authorized, updateModelGroup(context.services.routing, changerOf(context, authorized), params.id, body)),
      ),
  }),
  routingEndpoint({
    id: 'delete_model_group',
    method: 'DELETE',
    path: `${GROUPS}/{id}`,
    summary: 'Remove a model group',
    tag,
    ...withRight('settings:write'),
    params: GroupParams,
    status: 204,
    errors: ['MODEL_GROUP_NOT_FOUND'],
    handle: (context, { params, authorized }) =>
      changing(context, authorized, removeModelGroup(context.services.routing, changerOf(context, authorized), params.id)),
  }),
  routingEndpoint({
    id: 'list_price_overrides',
    method: 'GET',
    path: PRICES,
    summary: 'List the price overrides',
    tag,
    ...withRight('providers:read'),
    query: PageQuery,
    status: 200,
    response: z.array(PriceOverride),
    handle: async ({ services }, { query, authorized }) =>
      pagedAnswer(await listPriceOverrides(services.routing, authorized.organization_id), query),
  }),
  routingEndpoint({
    id: 'create_price_override',
    method: 'POST',
    path: PRICES,
    summary: 'Set the prices of a model at a provider',
    tag,
    description:
      'They hold from `valid_from` on, or from now. Prices are US dollars for a million tokens unless their name says otherwise. Overrides are never changed: the latest one that is in force wins.',
    ...withRight('settings:write'),
    body: NewPriceOverride,
    status: 201,
    response: PriceOverride,
    errors: ['LIMIT_REACHED', 'IDEMPOTENCY_CONFLICT'],
    handle: (context, { body, authorized }) =>
      creating(context, authorized, body, (ports, caller) => createPriceOverride(ports, caller, body)),
  }),
  routingEndpoint({
    id: 'get_price_override',
    method: 'GET',
    path: `${PRICES}/{id}`,
    summary: 'Fetch a price override',
    tag,
    ...withRight('providers:read'),
    params: PriceParams,
    status: 200,
    response: PriceOverride,
    errors: ['PRICE_NOT_FOUND'],
    handle: ({ services }, { params, authorized }) => getPriceOverride(services.routing, authorized, params.id),
  }),
  routingEndpoint({
    id: 'delete_price_override',
    method: 'DELETE',
    path: `${PRICES}/{id}`,
    summary: 'Remove a price override',
    tag,
    ...withRight('settings:write'),
    params: PriceParams,
    status: 204,
    errors: ['PRICE_NOT_FOUND'],
    handle: (context, { params, authorized }) =>
      changing(context, authorized, removePriceOverride(context.services.routing, changerOf(context, authorized), params.id)),
  }),
  routingEndpoint({
    id: 'get_routing_policy',
    method: 'GET',
    path: POLICY,
    summary: "Fetch the project's routing policy",
    tag,
    ...inPathProject('projects:read'),
    params: ProjectParams,
    status: 200,
    response: NewRoutingPolicy,
    errors: ['PROJECT_NOT_FOUND'],
    handle: async ({ services }, { params, authorized }) => getRoutingPolicy(services.routing, authorized, params.project_id),
  }),
  routingEndpoint({
    id: 'set_routing_policy',
    method: 'PUT',
    path: POLICY,
    summary: "Set the project's routing policy",
    tag,
    description:
      'Replaces the policy as a whole. What a call asks for itself wins, but for excluded providers and required features: they add up.',
    ...inPathProject('settings:write'),
    params: ProjectParams,
    body: NewRoutingPolicy,
    status: 200,
    response: NewRoutingPolicy,
    errors: ['PROJECT_NOT_FOUND', 'LIMIT_REACHED'],
    handle: (context, { params, body, authorized }) =>
      changing(context, authorized, setRoutingPolicy(context.services.routing, changerOf(context, authorized), params.project_id, body)),
  }),
];
