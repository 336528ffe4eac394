import * as z from 'zod';
import { findHealth, listHealth } from '../../lib/ai/routing/health/health-repository.ts';
import { NewProvider, ProviderChange, ProviderId, SIMULATED } from '../../lib/ai/routing/providers/provider-config.ts';
import { listProviders } from '../../lib/ai/routing/providers/provider-repository.ts';
import { createProvider, getProvider, removeProvider, updateProvider } from '../../lib/ai/routing/providers/provider-service.ts';
import { dashboardError } from '../../lib/identity/accounts/dashboard-errors.ts';
import { findProject } from '../../lib/identity/projects/project-repository.ts';
import { reply } from '../../lib/platform/http/endpoint.ts';
import { API } from '../identity/dashboard-endpoint.ts';
import { PageQuery, pagedAnswer } from '../identity/paged-answer.ts';
import { Provider, ProviderHealth, providerHealthView, providerView, simulatedView } from './provider-view.ts';
import { type Concerned, changerOf, changing, creating, type RoutingContext, routingEndpoint, withRight } from './routing-surface.ts';

const tag = 'routing';
const ProviderParams = z.object({ id: ProviderId });
const isSeen = (concerned: Concerned, { project_id }: { project_id: string | null }): boolean =>
  concerned.project_id === undefined || project_id === null || project_id === concerned.project_id;

/** The provider in the path, if the caller may see it. */
async function seenProvider({ services }: RoutingContext, concerned: Concerned, id: string) {
  const provider = await getProvider(services.routing, concerned, id);
  if (!isSeen(concerned, provider)) throw dashboardError('PROVIDER_NOT_FOUND');
  return provider;
}

/** What the store knows of a provider's health, with what this process has seen until now. */
async function healthOf({ services }: RoutingContext, { organization_id }: Concerned, id: string) {
  await services.health.flush();
  return findHealth(services.database, organization_id, id);
}

/** A provider for one project: the project is one of the organization. */
async function checkProjectOf({ services }: RoutingContext, { organization_id }: Concerned, projectId: string | null | undefined) {
  if (projectId === undefined || projectId === null) return;
  const project = await findProject(services.database, projectId);
  if (project?.organization_id !== organization_id) throw dashboardError('PROJECT_NOT_FOUND');
}

export const providerEndpoints = [
  routingEndpoint({
    id: 'list_providers',
    method: 'GET',
    path: `${API}/routing/providers`,
    summary: 'List the providers with their health',
    tag,
    ...withRight('providers:read', 'read:metrics'),
    query: PageQuery,
    status: 200,
    response: z.array(Provider),
    async handle({ services }, { query, authorized }) {
      await services.health.flush();
      const { database, clock } = services;
      const { organization_id } = authorized;
      const [stored, health] = await Promise.all([listProviders(database, organization_id), listHealth(database, organization_id)]);
      const now = clock.nowMs();
      const views = stored.filter((one) => isSeen(authorized, one)).map((one) => providerView(one, health.get(one.id), now));
      return pagedAnswer([...views, simulatedView(health.get(SIMULATED), now)], query);
    },
  }),
  routingEndpoint({
    id: 'create_provider',
    method: 'POST',
    path: `${API}/routing/providers`,
    summary: 'Add a provider',
    tag,
    description:
      'The key is sealed and never shown again. Without `models` the provider has the models that the price book knows of it. `preset` names a service that speaks OpenAI’s wire, with the type `openai-compatible`. Takes an `Idempotency-Key`.',
    ...withRight('settings:write'),
    body: NewProvider,
    status: 201,
    response: Provider,
    errors: ['PROVIDER_ALREADY_EXISTS', 'PROJECT_NOT_FOUND', 'LIMIT_REACHED', 'IDEMPOTENCY_CONFLICT'],
    async handle(context, { body, authorized }) {
      await checkProjectOf(context, authorized, body.project_id);
      const { services } = context;
      const made = await creating(context, authorized, body, (ports, caller) => createProvider(ports, caller, body));
      const location = `${API}/routing/providers/${made.id}`;
      return reply({ headers: { location }, body: providerView(made, undefined, services.clock.nowMs()) });
    },
  }),
  routingEndpoint({
    id: 'get_provider',
    method: 'GET',
    path: `${API}/routing/providers/{id}`,
    summary: 'Fetch a provider',
    tag,
    ...withRight('providers:read', 'read:metrics'),
    params: ProviderParams,
    status: 200,
    response: Provider,
    errors: ['PROVIDER_NOT_FOUND'],
    async handle(context, { params: { id }, authorized }) {
      const now = context.services.clock.nowMs();
      const state = await healthOf(context, authorized, id);
      return id === SIMULATED ? simulatedView(state, now) : providerView(await seenProvider(context, authorized, id), state, now);
    },
  }),
  routingEndpoint({
    id: 'update_provider',
    method: 'PATCH',
    alsoBy: ['PUT'],
    path: `${API}/routing/providers/{id}`,
    summary: 'Change a provider',
    tag,
    description: 'Changes the members that are given. A `base_url` on another server needs the `api_key` again.',
    ...withRight('settings:write'),
    params: ProviderParams,
    body: ProviderChange,
    status: 200,
    response: Provider,
    errors: ['PROVIDER_NOT_FOUND', 'VERSION_CONFLICT'],
    async handle(context, { params: { id }, body, authorized }) {
      await seenProvider(context, authorized, id);
      const { services } = context;
      const after = await changing(context, authorized, updateProvider(services.routing, changerOf(context, authorized), id, body));
      return providerView(after, await healthOf(context, authorized, id), services.clock.nowMs());
    },
  }),
  routingEndpoint({
    id: 'delete_provider',
    method: 'DELETE',
    path: `${API}/routing/providers/{id}`,
    summary: 'Remove a provider',
    tag,
    ...withRight('settings:write'),
    params: ProviderParams,
    status: 204,
    errors: ['PROVIDER_NOT_FOUND', 'VERSION_CONFLICT'],
    async handle(context, { params: { id }, authorized }) {
      await seenProvider(context, authorized, id);
      await changing(context, authorized, removeProvider(context.services.routing, changerOf(context, authorized), id));
    },
  }),
  routingEndpoint({
    id: 'get_provider_health',
    method: 'GET',
    path: `${API}/routing/providers/{id}/health`,
    summary: 'How a provider has answered in the last five minutes',
    tag,
    ...withRight('providers:read', 'read:metrics'),
    params: ProviderParams,
    status: 200,
    response: ProviderHealth,
    errors: ['PROVIDER_NOT_FOUND'],
    async handle(context, { params: { id }, authorized }) {
      const enabled = id === SIMULATED || (await seenProvider(context, authorized, id)).enabled;
      return providerHealthView(id, enabled, await healthOf(context, authorized, id), context.services.clock.nowMs());
    },
  }),
];
