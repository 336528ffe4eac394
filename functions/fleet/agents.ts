import * as z from 'zod';
import { Agent } from '../../lib/fleet/agents/agent-rules.ts';
import {
  AgentAnnotation,
  AgentLabel,
  addAgentAnnotation,
  addAgentLabel,
  listAgentAnnotations,
  listAgentLabels,
  removeAgentAnnotation,
  removeAgentLabel,
} from '../../lib/fleet/agents/agent-selectors.ts';
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
import { listRegistrationsOfAgent, Registration } from '../../lib/fleet/targeting/registration-repository.ts';
import { AgentTarget, addTarget, listTargets, removeTarget } from '../../lib/fleet/targeting/target-service.ts';
import {
  API,
  adminOnly,
  adminOrSelf,
  anyone,
  callerOf,
  decidedByOwnership,
  endpoint,
  fleetFunction,
  Id,
  IdParams,
} from './fleet-endpoint.ts';

const CreateAgentRequest = z
  .object({ name: z.string(), cluster_name: z.string(), generator_ids: z.array(Id).max(100).optional() })
  .meta({ id: 'CreateAgentRequest' });
const UpdateAgentRequest = z
  .object({ name: z.string().nullish(), cluster_name: z.string().nullish(), status: z.string().nullish() })
  .meta({ id: 'UpdateAgentRequest' });
const NewAgentLabel = z.object({ agent_id: Id, label: z.string() }).meta({ id: 'NewAgentLabel' });
const NewAgentAnnotation = z.object({ agent_id: Id, key: z.string(), value: z.string() }).meta({ id: 'NewAgentAnnotation' });
const NewAgentTarget = z.object({ agent_id: Id, stack_id: Id }).meta({ id: 'NewAgentTarget' });
const tag = 'agents';

const sameAgent = (path: string, body: string) => {
  if (path !== body) throw fleetError('agent_id_mismatch');
};

export const agentEndpoints = [
  endpoint({
    id: 'list_agents',
    method: 'GET',
    path: `${API}/agents`,
    summary: 'List agents',
    tag,
    description: 'Admins see all live agents, a generator those registered with it.',
    access: anyone,
    status: 200,
    response: z.array(Agent),
    errors: ['generator_required'],
    handle: (context) => listVisibleAgents(context.services, callerOf(context)),
  }),
  endpoint({
    id: 'create_agent',
    method: 'POST',
    path: `${API}/agents`,
    summary: 'Create an agent',
    tag,
    description: 'Answers with its first key, which is shown this once. A new agent is INACTIVE: set its status to ACTIVE to let it work.',
    access: adminOnly,
    body: CreateAgentRequest,
    status: 201,
    response: z.object({ agent: Agent, initial_pak: z.string() }).meta({ id: 'CreateAgentResponse' }),
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
    description: 'Its key dies at once; what it applied stays in its cluster. Unknown agents are gone already.',
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
  endpoint({
    id: 'agents_list_labels',
    method: 'GET',
    path: `${API}/agents/{id}/labels`,
    summary: "List an agent's labels",
    tag,
    access: adminOrSelf,
    params: IdParams,
    status: 200,
    response: z.array(AgentLabel),
    handle: ({ services }, { params }) => listAgentLabels(services, params.id),
  }),
  endpoint({
    id: 'agents_add_label',
    method: 'POST',
    path: `${API}/agents/{id}/labels`,
    summary: 'Label an agent',
    tag,
    access: adminOnly,
    params: IdParams,
    body: NewAgentLabel,
    status: 201,
    response: AgentLabel,
    errors: ['agent_id_mismatch', 'invalid_label', 'unique_violation', 'foreign_key_violation', 'too_many'],
    async handle(context, { params, body }) {
      sameAgent(params.id, body.agent_id);
      return addAgentLabel(context.services, callerOf(context), params.id, body.label);
    },
  }),
  endpoint({
    id: 'agents_remove_label',
    method: 'DELETE',
    path: `${API}/agents/{id}/labels/{label}`,
    summary: 'Take a label off an agent',
    tag,
    access: adminOnly,
    params: z.object({ id: Id, label: z.string() }),
    status: 204,
    errors: ['agent_label_not_found'],
    handle: (context, { params }) => removeAgentLabel(context.services, callerOf(context), params.id, params.label),
  }),
  endpoint({
    id: 'agents_list_annotations',
    method: 'GET',
    path: `${API}/agents/{id}/annotations`,
    summary: "List an agent's annotations",
    tag,
    access: adminOrSelf,
    params: IdParams,
    status: 200,
    response: z.array(AgentAnnotation),
    handle: ({ services }, { params }) => listAgentAnnotations(services, params.id),
  }),
  endpoint({
    id: 'agents_add_annotation',
    method: 'POST',
    path: `${API}/agents/{id}/annotations`,
    summary: 'Annotate an agent',
    tag,
    access: adminOnly,
    params: IdParams,
    body: NewAgentAnnotation,
    status: 201,
    response: AgentAnnotation,
    errors: ['agent_id_mismatch', 'invalid_annotation', 'unique_violation', 'foreign_key_violation', 'too_many'],
    async handle(context, { params, body }) {
      sameAgent(params.id, body.agent_id);
      return addAgentAnnotation(context.services, callerOf(context), params.id, body.key, body.value);
    },
  }),
  endpoint({
    id: 'agents_remove_annotation',
    method: 'DELETE',
    path: `${API}/agents/{id}/annotations/{key}`,
    summary: 'Take an annotation off an agent',
    tag,
    access: adminOnly,
    params: z.object({ id: Id, key: z.string() }),
    status: 204,
    errors: ['agent_annotation_not_found'],
    handle: (context, { params }) => removeAgentAnnotation(context.services, callerOf(context), params.id, params.key),
  }),
  endpoint({
    id: 'list_targets',
    method: 'GET',
    path: `${API}/agents/{id}/targets`,
    summary: "List an agent's explicit targets",
    tag,
    access: adminOrSelf,
    params: IdParams,
    status: 200,
    response: z.array(AgentTarget),
    handle: ({ services }, { params }) => listTargets(services.database, params.id),
  }),
  endpoint({
    id: 'add_target',
    method: 'POST',
    path: `${API}/agents/{id}/targets`,
    summary: 'Let an agent run a stack',
    tag,
    access: decidedByOwnership('admin or the generator that owns the stack'),
    params: IdParams,
    body: NewAgentTarget,
    status: 201,
    response: AgentTarget,
    errors: [
      'stack_not_found',
      'target_generator_mismatch',
      'target_create_denied',
      'agent_not_registered',
      'agent_id_mismatch',
      'unique_violation',
      'too_many',
    ],
    handle: (context, { params, body }) => addTarget(context.services, callerOf(context), params.id, body),
  }),
  endpoint({
    id: 'remove_target',
    method: 'DELETE',
    path: `${API}/agents/{id}/targets/{stack_id}`,
    summary: 'Withdraw a stack from an agent',
    tag,
    access: decidedByOwnership('admin or the generator that owns the stack'),
    params: z.object({ id: Id, stack_id: Id }),
    status: 204,
    errors: ['stack_not_found', 'target_generator_mismatch', 'target_create_denied', 'agent_not_registered', 'agent_target_not_found'],
    handle: (context, { params }) => removeTarget(context.services, callerOf(context), params.id, params.stack_id),
  }),
  endpoint({
    id: 'list_agent_registrations',
    method: 'GET',
    path: `${API}/agents/{id}/registrations`,
    summary: 'List the generators an agent is registered with',
    tag,
    access: adminOrSelf,
    params: IdParams,
    status: 200,
    response: z.array(Registration),
    errors: ['agent_not_found'],
    async handle({ services }, { params }) {
      await getAgent(services, params.id);
      return listRegistrationsOfAgent(services.database, params.id);
    },
  }),
];
export const handler = fleetFunction(agentEndpoints);

/** `GET /agents/?name=&cluster_name=`, trailing slash and all: served by the fallback function, since API Gateway has no route for it. */
export const searchAgentEndpoint = endpoint({
  id: 'search_agent',
  method: 'GET',
  path: `${API}/agents/`,
  summary: 'Find an agent by name and cluster',
  tag,
  access: anyone,
  query: z.object({ name: z.string().optional(), cluster_name: z.string().optional() }),
  status: 200,
  response: Agent,
  errors: ['name_and_cluster_required', 'agent_not_found', 'agent_pak_mismatch'],
  async handle({ services, principal }, { query: { name, cluster_name } }) {
    if (!name || !cluster_name) throw fleetError('name_and_cluster_required');
    const agent = await getAgentByName(services, cluster_name, name);
    if (principal.type !== 'admin' && !(principal.type === 'agent' && principal.id === agent.id)) throw fleetError('agent_pak_mismatch');
    return agent;
  },
});
