import * as z from 'zod';
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
import { getAgent } from '../../lib/fleet/agents/agent-service.ts';
import { fleetError } from '../../lib/fleet/fleet-errors.ts';
import { listRegistrationsOfAgent, Registration } from '../../lib/fleet/targeting/registration-repository.ts';
import { DescribedAgentValue, DescribedSelector } from '../../lib/fleet/targeting/selector.ts';
import { AgentTarget, addTarget, listTargets, removeTarget } from '../../lib/fleet/targeting/target-service.ts';
import { API, adminOnly, adminOrSelf, callerOf, checkedInService, endpoint, Id, IdParams } from './fleet-endpoint.ts';

const NewAgentLabel = z.object({ agent_id: Id, label: DescribedSelector }).meta({ id: 'NewAgentLabel' });
const NewAgentAnnotation = z
  .object({ agent_id: Id, key: DescribedSelector, value: DescribedAgentValue })
  .meta({ id: 'NewAgentAnnotation' });
const NewAgentTarget = z.object({ agent_id: Id, stack_id: Id }).meta({ id: 'NewAgentTarget' });
const tag = 'agents';

const sameAgent = (path: string, body: string) => {
  if (path !== body) throw fleetError('agent_id_mismatch');
};

/** The endpoints of an agent's labels, annotations, targets and registrations, which decide what stacks it runs. */
export const agentTargetingEndpoints = [
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
    summary: 'Remove a label from an agent',
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
    summary: 'Remove an annotation from an agent',
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
    handle: ({ services }, { params }) => listTargets(services, params.id),
  }),
  endpoint({
    id: 'add_target',
    method: 'POST',
    path: `${API}/agents/{id}/targets`,
    summary: 'Let an agent run a stack',
    tag,
    access: checkedInService('admin or the generator that owns the stack', 'admin', 'generator'),
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
    access: checkedInService('admin or the generator that owns the stack', 'admin', 'generator'),
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
