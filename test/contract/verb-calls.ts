import type { Services } from '../../functions/services.ts';
import { reportEvent } from '../../lib/fleet/agent-events/agent-event-service.ts';
import { addAgentAnnotation, addAgentLabel, removeAgentAnnotation, removeAgentLabel } from '../../lib/fleet/agents/agent-selectors.ts';
import { createAgent, listVisibleAgents, removeAgent, rotateAgentPak, updateAgent } from '../../lib/fleet/agents/agent-service.ts';
import {
  createDeploymentObject,
  getDeploymentObject,
  listDeploymentObjects,
} from '../../lib/fleet/deployment-objects/deployment-object-service.ts';
import { commitAsNewestOrHistory } from '../../lib/fleet/deployment-objects/newest-or-history.ts';
import {
  createDeployment,
  getDeployment,
  listDeploymentEvents,
  reportDeployment,
  updateDeployment,
} from '../../lib/fleet/deployments/deployment-service.ts';
import type { Caller } from '../../lib/fleet/fleet-ports.ts';
import { createGenerator, removeGenerator, rotateGeneratorPak, updateGenerator } from '../../lib/fleet/generators/generator-service.ts';
import {
  addStackAnnotation,
  addStackLabel,
  listStackAnnotations,
  listStackLabels,
  removeStackAnnotation,
  removeStackLabel,
} from '../../lib/fleet/stacks/stack-selectors.ts';
import { createStack, getOwnStack, getStack, listVisibleStacks, removeStack, updateStack } from '../../lib/fleet/stacks/stack-service.ts';
import { deregisterAgent, registerAgent } from '../../lib/fleet/targeting/registration-service.ts';
import { addTarget, removeTarget } from '../../lib/fleet/targeting/target-service.ts';
import { getProvenance, instantiateTemplate } from '../../lib/fleet/templates/instantiate.ts';
import { previewTemplate } from '../../lib/fleet/templates/preview-template.ts';
import { removeTemplate } from '../../lib/fleet/templates/remove-template.ts';
import { findTemplateHead } from '../../lib/fleet/templates/template-repository.ts';
import {
  addTemplateAnnotation,
  addTemplateLabel,
  removeTemplateAnnotation,
  removeTemplateLabel,
} from '../../lib/fleet/templates/template-selectors.ts';
import {
  createTemplate,
  getTemplate,
  listVisibleTemplates,
  ownTemplate,
  readableTemplate,
  updateTemplate,
} from '../../lib/fleet/templates/template-service.ts';
import { cancelWorkOrder } from '../../lib/fleet/work-orders/cancel-work-order.ts';
import { claimWorkOrder, renewWorkOrder } from '../../lib/fleet/work-orders/claim-work-order.ts';
import { completeWorkOrder } from '../../lib/fleet/work-orders/complete-work-order.ts';
import { createWorkOrder } from '../../lib/fleet/work-orders/create-work-order.ts';
import {
  getWorkOrder,
  getWorkOrderLog,
  listChildOrders,
  listWorkOrderLog,
  listWorkOrders,
} from '../../lib/fleet/work-orders/work-order-service.ts';
import { configMap, type Tenant, templateOf, unique } from '../fleet/fleet-builder.ts';

/** A valid call of a verb, for this tenant's things. */
export type VerbCall = (ports: Services, caller: Caller, tenant: Tenant) => unknown;

const stackOf = (ports: Services, { stack }: Tenant) => getStack(ports, stack.id);
const headOf = async (ports: Services, { template }: Tenant) => {
  const head = await findTemplateHead(ports.database, template.id);
  if (!head) throw new Error('no template');
  return head;
};
const texts = () => ({ template_content: 'a: 1', parameters_schema: '{}' });
const yaml = () => ({ yaml_content: configMap(unique('map')), is_deletion_marker: false });
const outcome = { event_type: 'DEPLOY', status: 'FAILURE', message: 'm' };

/** Each verb of the fleet that takes a caller. */
export const verbs: Readonly<Record<string, VerbCall>> = {
  reportEvent: (ports, caller, { agent, object }) =>
    reportEvent(ports, caller, { agent_id: agent.id, deployment_object_id: object.id, ...outcome }),
  addAgentLabel: (ports, caller, { agent }) => addAgentLabel(ports, caller, agent.id, unique('label')),
  addAgentAnnotation: (ports, caller, { agent }) => addAgentAnnotation(ports, caller, agent.id, unique('key'), 'v'),
  removeAgentLabel: (ports, caller, { agent }) => removeAgentLabel(ports, caller, agent.id, 'agent-label'),
  removeAgentAnnotation: (ports, caller, { agent }) => removeAgentAnnotation(ports, caller, agent.id, 'agent-key'),
  listVisibleAgents: (ports, caller) => listVisibleAgents(ports, caller, {}),
  createAgent: (ports, caller) => createAgent(ports, caller, { name: unique('agent'), cluster_name: unique('cluster'), generator_ids: [] }),
  updateAgent: (ports, caller, { agent }) => updateAgent(ports, caller, agent.id, { name: unique('agent') }),
  removeAgent: (ports, caller, { agent }) => removeAgent(ports, caller, agent.id),
  rotateAgentPak: (ports, caller, { agent }) => rotateAgentPak(ports, caller, agent.id),
  createDeploymentObject: async (ports, caller, tenant) => createDeploymentObject(ports, caller, await stackOf(ports, tenant), yaml()),
  listDeploymentObjects: async (ports, caller, tenant) => listDeploymentObjects(ports, caller, await stackOf(ports, tenant), { limit: 1 }),
  getDeploymentObject: (ports, caller, { object }) => getDeploymentObject(ports, caller, object.id),
  commitAsNewestOrHistory: async (ports, caller, tenant) => commitAsNewestOrHistory(ports, caller, await stackOf(ports, tenant), yaml()),
  createDeployment: (ports, caller, { generator }) =>
    createDeployment(ports, caller, { name: unique('d'), generator_id: generator.id, ...yaml() }),
  getDeployment: (ports, caller, { stack }) => getDeployment(ports, caller, stack.id),
  updateDeployment: async (ports, caller, tenant) => updateDeployment(ports, caller, await stackOf(ports, tenant), { name: unique('d') }),
  reportDeployment: (ports, caller, { stack }) => reportDeployment(ports, caller, { deployment_id: stack.id, ...outcome }),
  listDeploymentEvents: async (ports, caller, tenant) => listDeploymentEvents(ports, caller, await stackOf(ports, tenant)),
  createGenerator: (ports, caller) => createGenerator(ports, caller, { name: unique('generator') }),
  updateGenerator: (ports, caller, { generator }) => updateGenerator(ports, caller, generator.id, { name: generator.name }),
  removeGenerator: (ports, caller, { generator }) => removeGenerator(ports, caller, generator.id),
  rotateGeneratorPak: (ports, caller, { generator }) => rotateGeneratorPak(ports, caller, generator.id),
  listStackLabels: (ports, caller, { stack }) => listStackLabels(ports, caller, stack.id),
  listStackAnnotations: (ports, caller, { stack }) => listStackAnnotations(ports, caller, stack.id),
  addStackLabel: async (ports, caller, tenant) => addStackLabel(ports, caller, await stackOf(ports, tenant), unique('label')),
  addStackAnnotation: async (ports, caller, tenant) => addStackAnnotation(ports, caller, await stackOf(ports, tenant), unique('key'), 'v'),
  removeStackLabel: async (ports, caller, tenant) => removeStackLabel(ports, caller, await stackOf(ports, tenant), 'team-label'),
  removeStackAnnotation: async (ports, caller, tenant) => removeStackAnnotation(ports, caller, await stackOf(ports, tenant), 'team-key'),
  getOwnStack: (ports, caller, { stack }) => getOwnStack(ports, caller, stack.id),
  listVisibleStacks: (ports, caller) => listVisibleStacks(ports, caller, {}),
  createStack: (ports, caller, { generator }) => createStack(ports, caller, { name: unique('stack'), generator_id: generator.id }),
  updateStack: async (ports, caller, tenant) => updateStack(ports, caller, await stackOf(ports, tenant), { name: unique('stack') }),
  removeStack: async (ports, caller, tenant) => removeStack(ports, caller, await stackOf(ports, tenant)),
  listVisibleTemplates: (ports, caller) => listVisibleTemplates(ports, caller, {}),
  readableTemplate: (ports, caller, { template }) => readableTemplate(ports, caller, template.id),
  ownTemplate: (ports, caller, { template }) => ownTemplate(ports, caller, template.id),
  getTemplate: (ports, caller, { template }) => getTemplate(ports, caller, template.id),
  createTemplate: (ports, caller) => createTemplate(ports, caller, unique('template'), templateOf('t') as never),
  updateTemplate: async (ports, caller, tenant) => updateTemplate(ports, caller, await headOf(ports, tenant), texts()),
  removeTemplate: async (ports, caller, tenant) => removeTemplate(ports, caller, await headOf(ports, tenant)),
  addTemplateLabel: async (ports, caller, tenant) => addTemplateLabel(ports, caller, await headOf(ports, tenant), unique('label')),
  addTemplateAnnotation: async (ports, caller, tenant) =>
    addTemplateAnnotation(ports, caller, await headOf(ports, tenant), unique('key'), 'v'),
  removeTemplateLabel: async (ports, caller, tenant) => removeTemplateLabel(ports, caller, await headOf(ports, tenant), 'template-label'),
  removeTemplateAnnotation: async (ports, caller, tenant) =>
    removeTemplateAnnotation(ports, caller, await headOf(ports, tenant), 'template-key'),
  instantiateTemplate: async (ports, caller, tenant) =>
    instantiateTemplate(ports, caller, await stackOf(ports, tenant), { template_id: tenant.template.id, parameters: { name: 'a' } }),
  previewTemplate: async (ports, caller, tenant) =>
    previewTemplate(ports, caller, await headOf(ports, tenant), { parameters: { name: 'a' }, stack_id: tenant.stack.id }),
  getProvenance: (ports, caller, { object }) => getProvenance(ports, caller, object.id),
  createWorkOrder: (ports, caller, { agent }) =>
    createWorkOrder(ports, caller, {
      work_type: 'custom',
      yaml_content: 'a: 1',
      max_retries: 0,
      backoff_seconds: 1,
      claim_timeout_seconds: 60,
      fan_out: 'any',
      targeting: { agent_ids: [agent.id], labels: [], annotations: {} },
    }),
  listChildOrders: (ports, caller, { order }) => listChildOrders(ports, caller, order.id, { limit: 10 }),
  listWorkOrders: (ports, caller) => listWorkOrders(ports, caller, {}),
  getWorkOrder: (ports, caller, { order }) => getWorkOrder(ports, caller, order.id),
  cancelWorkOrder: (ports, caller, { order }) => cancelWorkOrder(ports, caller, order.id),
  claimWorkOrder: (ports, caller, { agent, order }) => claimWorkOrder(ports, caller, order.id, { agent_id: agent.id }),
  renewWorkOrder: (ports, caller, { order }) => renewWorkOrder(ports, caller, order.id, order.token),
  completeWorkOrder: (ports, caller, { order }) => completeWorkOrder(ports, caller, order.id, { success: true }),
  listWorkOrderLog: (ports, caller) => listWorkOrderLog(ports, caller, {}),
  getWorkOrderLog: (ports, caller, { endedOrder }) => getWorkOrderLog(ports, caller, endedOrder.id),
  registerAgent: (ports, caller, { agent, generator }) => registerAgent(ports, caller, generator.id, agent.id),
  deregisterAgent: (ports, caller, { agent, generator }) => deregisterAgent(ports, caller, generator.id, agent.id),
  addTarget: (ports, caller, { agent, stack }) => addTarget(ports, caller, agent.id, { agent_id: agent.id, stack_id: stack.id }),
  removeTarget: (ports, caller, { agent, stack }) => removeTarget(ports, caller, agent.id, stack.id),
};
