import * as z from 'zod';
import { EventCursor } from '../../lib/fleet/agent-events/agent-event-lists.ts';
import { Agent } from '../../lib/fleet/agents/agent-rules.ts';
import { createAgent, getAgent, removeAgent } from '../../lib/fleet/agents/agent-service.ts';
import {
  createDeployment,
  Deployment,
  getDeployment,
  listDeploymentEvents,
  reportDeployment,
  updateDeployment,
} from '../../lib/fleet/deployments/deployment-service.ts';
import { AgentEvent, EVENT_TYPES } from '../../lib/fleet/protocol/agent-protocol.ts';
import { getOwnStack, removeStack } from '../../lib/fleet/stacks/stack-service.ts';
import { DescribedName, DescribedText } from '../../lib/platform/names.ts';
import { CreateAgentRequest, CreateAgentResponse } from './agent-requests.ts';
import { DescribedYaml, OBJECT_BODY_LIMIT_BYTES } from './deployment-object-body.ts';
import {
  adminOnly,
  adminOrSelf,
  anyAgent,
  callerOf,
  checkedInService,
  endpoint,
  type FleetContext,
  fleetFunction,
  Id,
  ownersOnly,
} from './fleet-endpoint.ts';
import { answerPage, PAGED } from './list-answer.ts';

/** The paths of the API's first generation. A deployment is a stack with its newest deployment object. */
const tag = 'v1';
const owner = ownersOnly('stack_not_owned');
const DeploymentParams = z.object({ deployment_id: Id });
const ownDeployment = (context: FleetContext, { params }: { params: z.infer<typeof DeploymentParams> }) =>
  getOwnStack(context.services, callerOf(context), params.deployment_id);

const NewDeployment = z
  .object({ name: DescribedName, description: DescribedText.nullish(), yaml_content: DescribedYaml, generator_id: Id.optional() })
  .meta({ id: 'CreateDeploymentRequest' });
const DeploymentUpdate = z
  .object({ name: DescribedName.optional(), description: DescribedText.nullish(), yaml_content: DescribedYaml.optional() })
  .meta({ id: 'UpdateDeploymentRequest' });
const DeploymentEvent = z
  .object({
    deployment_id: Id,
    deployment_object_id: Id.optional(),
    event_type: z.string().min(1).max(50).default(EVENT_TYPES.deploy),
    status: z.string().min(1).max(10),
    message: z.string().max(32_768).nullish(),
  })
  .meta({ id: 'ReportDeploymentEventRequest' });

export const deploymentV1Endpoints = [
  endpoint({
    id: 'v1_register_agent',
    method: 'POST',
    path: '/v1/agents/register',
    summary: 'Register an agent',
    tag,
    description: 'The same as POST /api/v1/agents: the answer contains the first key, which is shown only once.',
    access: adminOnly,
    body: CreateAgentRequest,
    status: 201,
    response: CreateAgentResponse,
    errors: ['invalid_agent', 'invalid_generator_id', 'unique_violation'],
    handle: (context, { body }) => createAgent(context.services, callerOf(context), { ...body, generator_ids: body.generator_ids ?? [] }),
  }),
  endpoint({
    id: 'v1_get_agent',
    method: 'GET',
    path: '/v1/agents/{id}',
    summary: 'Fetch an agent',
    tag,
    access: adminOrSelf,
    params: z.object({ id: Id }),
    status: 200,
    response: Agent,
    errors: ['agent_not_found'],
    handle: ({ services }, { params }) => getAgent(services, params.id),
  }),
  endpoint({
    id: 'v1_deregister_agent',
    method: 'DELETE',
    path: '/v1/agents/{id}',
    summary: 'Deregister an agent',
    tag,
    access: adminOnly,
    params: z.object({ id: Id }),
    status: 204,
    handle: (context, { params }) => removeAgent(context.services, callerOf(context), params.id),
  }),
  endpoint({
    id: 'v1_create_deployment',
    method: 'POST',
    path: '/v1/deployments',
    summary: 'Create a deployment',
    tag,
    description:
      'Creates a stack and its first deployment object in one transaction. Agents run it like any other stack: by its labels or annotations, or by a target.',
    access: ownersOnly('stack_create_denied'),
    body: NewDeployment,
    bodyLimitBytes: OBJECT_BODY_LIMIT_BYTES,
    status: 201,
    response: Deployment,
    errors: [
      'stack_create_denied',
      'stack_generator_mismatch',
      'invalid_stack',
      'invalid_deployment_object',
      'unique_violation',
      'foreign_key_violation',
    ],
    handle: (context, { body }) => createDeployment(context.services, callerOf(context), body),
  }),
  endpoint({
    id: 'v1_get_deployment',
    method: 'GET',
    path: '/v1/deployments/{deployment_id}',
    summary: 'Fetch a deployment',
    tag,
    access: checkedInService('admin, the owning generator, or an agent that runs it', 'admin', 'agent', 'generator'),
    params: DeploymentParams,
    status: 200,
    response: Deployment,
    errors: ['stack_not_found', 'stack_not_accessible'],
    handle: (context, { params }) => getDeployment(context.services, callerOf(context), params.deployment_id),
  }),
  endpoint({
    id: 'v1_update_deployment',
    method: 'PUT',
    path: '/v1/deployments/{deployment_id}',
    summary: 'Update a deployment',
    tag,
    description: 'New YAML becomes a newer deployment object.',
    access: owner,
    params: DeploymentParams,
    authorize: ownDeployment,
    body: DeploymentUpdate,
    bodyLimitBytes: OBJECT_BODY_LIMIT_BYTES,
    status: 200,
    response: Deployment,
    errors: ['stack_not_found', 'stack_not_owned', 'invalid_stack', 'invalid_deployment_object', 'unique_violation'],
    handle: (context, { body, authorized: stack }) => updateDeployment(context.services, callerOf(context), stack, body),
  }),
  endpoint({
    id: 'v1_delete_deployment',
    method: 'DELETE',
    path: '/v1/deployments/{deployment_id}',
    summary: 'Delete a deployment',
    tag,
    description: 'Withdraws it from every agent, which then removes its objects from the cluster.',
    access: owner,
    params: DeploymentParams,
    authorize: ownDeployment,
    status: 204,
    errors: ['stack_not_found', 'stack_not_owned'],
    handle: (context, { authorized: stack }) => removeStack(context.services, callerOf(context), stack),
  }),
  endpoint({
    id: 'v1_report_event',
    method: 'POST',
    path: '/v1/events',
    summary: 'Report the outcome of a deployment',
    tag,
    description: 'The report is on the newest deployment object, unless it names another one.',
    access: anyAgent,
    body: DeploymentEvent,
    status: 201,
    response: AgentEvent,
    errors: ['agent_pak_required', 'foreign_key_violation'],
    handle: (context, { body }) => reportDeployment(context.services, callerOf(context), body),
  }),
  endpoint({
    id: 'v1_list_events',
    method: 'GET',
    path: '/v1/events/{deployment_id}',
    summary: "List a deployment's newest events",
    tag,
    description: PAGED,
    access: owner,
    params: DeploymentParams,
    authorize: ownDeployment,
    query: z.object({ cursor: EventCursor }),
    status: 200,
    response: z.array(AgentEvent),
    errors: ['stack_not_found', 'stack_not_owned'],
    handle: async (context, { query, authorized: stack }) =>
      answerPage(await listDeploymentEvents(context.services, callerOf(context), stack, query.cursor)),
  }),
];
export const handler = fleetFunction(deploymentV1Endpoints);
