import * as z from 'zod';
import { Agent, DescribedStatus } from '../../lib/fleet/agents/agent-rules.ts';
import {
  createAgent,
  getAgent,
  getAgentByName,
  listVisibleAgents,
  removeAgent,
  rotateAgentPak,
  updateAgent,
} from '../../lib/fleet/agents/agent-service.ts';
import { fleetError } from '../../lib/fleet/fleet-errors.ts';
import { decideFor } from '../../lib/identity/principal.ts';
import { required } from '../../lib/platform/http/json-schema.ts';
import { DescribedName } from '../../lib/platform/names.ts';
import { CreateAgentRequest, CreateAgentResponse } from './agent-requests.ts';
import { agentTargetingEndpoints } from './agent-targeting.ts';
import {
  API,
  adminOnly,
  adminOrAgentItself,
  adminOrAnyGenerator,
  adminOrSelf,
  callerOf,
  endpoint,
  fleetFunction,
  IdParams,
} from './fleet-endpoint.ts';
import { answerPage, PAGED, PageQuery } from './list-answer.ts';

const UpdateAgentRequest = z
  .object({ name: DescribedName.nullish(), cluster_name: DescribedName.nullish(), status: DescribedStatus.nullish() })
  .meta({ id: 'UpdateAgentRequest' });
const tag = 'agents';

export const agentEndpoints = [
  endpoint({
    id: 'list_agents',
    method: 'GET',
    path: `${API}/agents`,
    summary: 'List agents',
    tag,
    description: `Admins see all live agents, a generator those registered with it. ${PAGED}`,
    access: adminOrAnyGenerator('generator_required'),
    query: PageQuery,
    status: 200,
    response: z.array(Agent),
    errors: ['generator_required'],
    handle: async (context, { query }) => answerPage(await listVisibleAgents(context.services, callerOf(context), query)),
  }),
  endpoint({
    id: 'create_agent',
    method: 'POST',
    path: `${API}/agents`,
    summary: 'Create an agent',
    tag,
    description:
      'The answer contains its first key, which is shown only once. A new agent is INACTIVE: set its status to ACTIVE to let it work.',
    access: adminOnly,
    body: CreateAgentRequest,
    status: 201,
    response: CreateAgentResponse,
    errors: ['invalid_agent', 'invalid_generator_id', 'unique_violation'],
    handle: (context, { body }) => createAgent(context.services, callerOf(context), { ...body, generator_ids: body.generator_ids ?? [] }),
  }),
  endpoint({
    id: 'get_agent',
    method: 'GET',
    path: `${API}/agents/{id}`,
    summary: 'Fetch an agent',
    tag,
    access: adminOrSelf,
    params: IdParams,
    status: 200,
    response: Agent,
    errors: ['agent_not_found'],
    handle: ({ services }, { params }) => getAgent(services, params.id),
  }),
  endpoint({
    id: 'update_agent',
    method: 'PUT',
    path: `${API}/agents/{id}`,
    summary: 'Rename an agent or set its status',
    tag,
    description: 'Takes any of name, cluster_name and status; other members are ignored.',
    access: adminOrSelf,
    params: IdParams,
    body: UpdateAgentRequest,
    status: 200,
    response: Agent,
    errors: ['agent_not_found', 'invalid_agent', 'unique_violation'],
    handle: (context, { params, body }) =>
      updateAgent(context.services, callerOf(context), params.id, {
        name: body.name ?? undefined,
        cluster_name: body.cluster_name ?? undefined,
        status: body.status ?? undefined,
      }),
  }),
  endpoint({
    id: 'delete_agent',
    method: 'DELETE',
    path: `${API}/agents/{id}`,
    summary: 'Delete an agent',
    tag,
    description:
      'Its key stops working at once. The objects that it applied stay in its cluster. An unknown agent is answered with 204 too.',
    access: adminOnly,
    params: IdParams,
    status: 204,
    handle: (context, { params }) => removeAgent(context.services, callerOf(context), params.id),
  }),
  endpoint({
    id: 'rotate_agent_pak',
    method: 'POST',
    path: `${API}/agents/{id}/rotate-pak`,
    summary: "Replace an agent's key",
    tag,
    access: adminOrSelf,
    params: IdParams,
    status: 200,
    response: z.object({ agent: Agent, pak: z.string() }).meta({ id: 'RotateAgentPakResponse' }),
    errors: ['agent_not_found'],
    handle: (context, { params }) => rotateAgentPak(context.services, callerOf(context), params.id),
  }),
  ...agentTargetingEndpoints,
];
export const handler = fleetFunction(agentEndpoints);

/** `GET /agents/?name=&cluster_name=` with the slash. API Gateway has no route for such a path, so the fallback function serves it. */
export const searchAgentEndpoint = endpoint({
  id: 'search_agent',
  method: 'GET',
  path: `${API}/agents/`,
  summary: 'Find an agent by name and cluster',
  tag,
  access: adminOrAgentItself,
  query: z.object({ name: required(z.string()), cluster_name: required(z.string()) }),
  status: 200,
  response: Agent,
  errors: ['name_and_cluster_required', 'agent_not_found', 'agent_pak_mismatch'],
  async handle({ services, principal }, { query: { name, cluster_name } }) {
    if (!name || !cluster_name) throw fleetError('name_and_cluster_required');
    const agent = await getAgentByName(services, cluster_name, name);
    const isOwn = decideFor(principal, { admin: () => true, agent: ({ id }) => id === agent.id, generator: () => false });
    if (!isOwn) throw fleetError('agent_pak_mismatch');
    return agent;
  },
});
