import type { Tenant } from '../fleet/fleet-builder.ts';
import { configMap, orderFor, templateOf, unique } from '../fleet/fleet-builder.ts';

/** The statuses of a request on tenant A's things: by an admin, A's agent, B's agent, A's generator and B's generator. */
export type Statuses = readonly [admin: number, agentA: number, agentB: number, generatorA: number, generatorB: number];
export interface Expectation {
  statuses: Statuses;
  query?: (tenant: Tenant) => string;
  /** A valid body. */
  body?: (tenant: Tenant) => unknown;
  /** Tests of bad bodies use this caller's key; an admin's if absent. */
  bodyFrom?: 'agent';
  /** The endpoint accepts any body and takes from it what it can. */
  lenient?: true;
  /** The endpoint reads JSON under any content type. */
  anyContentType?: true;
}

const TIME = '2026-01-01T00:00:00Z';
const times = { created_at: TIME, updated_at: TIME };
const newAgent = () => ({ name: unique('agent'), cluster_name: unique('cluster'), generator_ids: [] });

const withoutName = ({ name: _name, ...rest }: ReturnType<typeof templateOf>) => rest;

const everyone: Statuses = [200, 200, 200, 200, 200];
const admins: Statuses = [200, 403, 403, 403, 403];
const adminsCreate: Statuses = [201, 403, 403, 403, 403];
const adminsRemove: Statuses = [204, 403, 403, 403, 403];
const adminOrAgent: Statuses = [200, 200, 403, 403, 403];
const adminOrOwner: Statuses = [200, 403, 403, 200, 403];
const ownerCreates: Statuses = [201, 403, 403, 201, 403];
const ownerRemoves: Statuses = [204, 403, 403, 204, 403];
const ownerAndItsAgent: Statuses = [200, 200, 403, 200, 403];
const openToAll = 'public' as const;

/** One entry for each endpoint. */
export const expectations: Readonly<Record<string, Expectation | typeof openToAll>> = {
  verify_pak: { statuses: everyone },
  list_paks: { statuses: admins },

  list_agents: { statuses: [200, 403, 403, 200, 200] },
  create_agent: { statuses: adminsCreate, body: newAgent },
  get_agent: { statuses: adminOrAgent },
  update_agent: { statuses: adminOrAgent, body: () => ({ name: unique('agent'), cluster_name: unique('cluster'), status: 'ACTIVE' }) },
  delete_agent: { statuses: adminsRemove },
  rotate_agent_pak: { statuses: adminOrAgent },
  search_agent: {
    statuses: adminOrAgent,
    query: ({ agentName, clusterName }) => `?name=${agentName}&cluster_name=${clusterName}`,
  },
  agents_list_labels: { statuses: adminOrAgent },
  agents_add_label: { statuses: adminsCreate, body: ({ agent }) => ({ agent_id: agent.id, label: unique('label') }) },
  agents_remove_label: { statuses: adminsRemove },
  agents_list_annotations: { statuses: adminOrAgent },
  agents_add_annotation: { statuses: adminsCreate, body: ({ agent }) => ({ agent_id: agent.id, key: unique('key'), value: 'v' }) },
  agents_remove_annotation: { statuses: adminsRemove },
  list_targets: { statuses: adminOrAgent },
  // The request is valid, but the target exists already.
  add_target: { statuses: [409, 403, 403, 409, 403], body: ({ agent, stack }) => ({ agent_id: agent.id, stack_id: stack.id }) },
  remove_target: { statuses: ownerRemoves },
  list_agent_registrations: { statuses: adminOrAgent },

  get_assignments: { statuses: adminOrAgent },
  get_target_state: { statuses: adminOrAgent },
  get_associated_stacks: { statuses: adminOrAgent },
  record_heartbeat: {
    statuses: [403, 204, 403, 403, 403],
    body: () => ({ k8s_reachable: true, k8s_api_latency_ms: 5 }),
    bodyFrom: 'agent',
    lenient: true,
  },
  list_events: { statuses: adminOrAgent },
  create_event: {
    statuses: [201, 201, 403, 403, 403],
    body: ({ agent, object }) => ({
      agent_id: agent.id,
      deployment_object_id: object.id,
      event_type: 'DEPLOY',
      status: 'FAILURE',
      message: 'no quota',
      details: { objects_total: 1, counts: { failed: 1 }, objects: [], duration_ms: 3 },
    }),
  },
  list_agent_events: { statuses: admins },
  get_agent_event: { statuses: admins },

  list_stacks: { statuses: [200, 403, 403, 200, 200] },
  create_stack: {
    statuses: ownerCreates,
    body: ({ generator }) => ({ name: unique('stack'), description: 'd', generator_id: generator.id }),
  },
  get_stack: { statuses: adminOrOwner },
  update_stack: {
    statuses: adminOrOwner,
    body: ({ stack, generator }) => ({ ...times, id: stack.id, name: unique('stack'), description: 'd', generator_id: generator.id }),
  },
  delete_stack: { statuses: ownerRemoves },
  stacks_list_labels: { statuses: ownerAndItsAgent },
  stacks_add_label: { statuses: ownerCreates, body: () => unique('label') },
  stacks_remove_label: { statuses: ownerRemoves },
  stacks_list_annotations: { statuses: ownerAndItsAgent },
  stacks_add_annotation: { statuses: ownerCreates, body: ({ stack }) => ({ stack_id: stack.id, key: unique('key'), value: 'v' }) },
  stacks_remove_annotation: { statuses: ownerRemoves },

  list_deployment_objects: { statuses: adminOrOwner },
  create_deployment_object: {
    statuses: ownerCreates,
    body: () => ({ yaml_content: configMap(unique('map')), is_deletion_marker: false }),
    anyContentType: true,
  },
  get_deployment_object: { statuses: ownerAndItsAgent },

  list_generators: { statuses: admins },
  create_generator: { statuses: adminsCreate, body: () => ({ name: unique('generator'), description: 'd' }) },
  get_generator: { statuses: adminOrOwner },
  update_generator: {
    statuses: adminOrOwner,
    body: ({ generator }) => ({
      ...times,
      id: generator.id,
      name: generator.name,
      description: 'd',
      is_active: true,
      is_system: false,
    }),
  },
  delete_generator: { statuses: ownerRemoves },
  rotate_generator_pak: { statuses: ownerCreates },
  // A's agent is registered already.
  register_agent: { statuses: [409, 409, 403, 403, 403], body: ({ agent }) => ({ agent_id: agent.id }) },
  deregister_agent: { statuses: [204, 204, 403, 403, 403], body: ({ agent }) => ({ agent_id: agent.id }) },
  list_generator_registered_agents: { statuses: adminOrOwner },

  list_templates: { statuses: [200, 403, 403, 200, 200] },
  create_template: { statuses: [201, 403, 403, 201, 201], body: () => templateOf(unique('template')) },
  validate_template: { statuses: [200, 403, 403, 200, 200], body: () => withoutName(templateOf('t')) },
  get_template: { statuses: adminOrOwner },
  update_template: { statuses: adminOrOwner, body: () => withoutName(templateOf('t')) },
  delete_template: { statuses: ownerRemoves },
  preview_template: { statuses: adminOrOwner, body: ({ stack }) => ({ parameters: { name: 'a' }, stack_id: stack.id }) },
  templates_list_labels: { statuses: adminOrOwner },
  templates_add_label: { statuses: ownerCreates, body: () => unique('label') },
  templates_remove_label: { statuses: ownerRemoves },
  templates_list_annotations: { statuses: adminOrOwner },
  templates_add_annotation: { statuses: ownerCreates, body: () => ({ key: unique('key'), value: 'v' }) },
  templates_remove_annotation: { statuses: ownerRemoves },
  // The stack lacks the label of the template.
  instantiate_template: {
    statuses: [422, 403, 403, 422, 403],
    body: ({ template }) => ({ template_id: template.id, parameters: { name: 'a' } }),
  },
  // The deployment object was not made from a template.
  get_provenance: { statuses: [404, 404, 403, 404, 403] },

  list_work_orders: { statuses: [200, 403, 403, 200, 200] },
  create_work_order: { statuses: ownerCreates, body: ({ agent }) => orderFor(agent) },
  get_work_order: { statuses: adminOrOwner },
  delete_work_order: { statuses: ownerRemoves },
  list_child_work_orders: { statuses: adminOrOwner },
  list_pending_for_agent: { statuses: adminOrAgent },
  // A's agent holds the order already.
  claim_work_order: { statuses: [404, 404, 403, 403, 403], body: ({ agent }) => ({ agent_id: agent.id }) },
  renew_work_order: { statuses: adminOrAgent, body: ({ order }) => ({ token: order.token }) },
  complete_work_order: {
    statuses: adminOrAgent,
    body: () => ({
      success: true,
      message: 'done',
      details: {
        attempt: 1,
        objects_applied: 1,
        duration_ms: 5,
        jobs: [
          {
            kind: 'Job',
            namespace: 'default',
            name: 'a',
            outcome: 'failed',
            reason: 'r',
            message: 'm',
            log_tail: 'l',
            log_missing: 'n',
            image_digest: 'd',
          },
        ],
      },
    }),
  },
  list_work_order_log: { statuses: [200, 403, 403, 200, 200] },
  get_work_order_log: { statuses: adminOrOwner },

  list_audit_logs: { statuses: admins },

  v1_register_agent: { statuses: adminsCreate, body: newAgent },
  v1_get_agent: { statuses: adminOrAgent },
  v1_deregister_agent: { statuses: adminsRemove },
  v1_create_deployment: {
    statuses: ownerCreates,
    body: ({ generator }) => ({ name: unique('d'), description: 'd', yaml_content: configMap('a'), generator_id: generator.id }),
  },
  v1_get_deployment: { statuses: ownerAndItsAgent },
  v1_update_deployment: { statuses: adminOrOwner, body: () => ({ name: unique('d'), description: 'd', yaml_content: configMap('b') }) },
  v1_delete_deployment: { statuses: ownerRemoves },
  // B's agent gets the answer for a deployment that doesn't exist.
  v1_report_event: {
    statuses: [403, 201, 422, 403, 403],
    body: ({ stack }) => ({ deployment_id: stack.id, event_type: 'DEPLOY', status: 'FAILURE', message: 'm' }),
    bodyFrom: 'agent',
  },
  v1_list_events: { statuses: adminOrOwner },

  healthz: openToAll,
  health: openToAll,
  health_live: openToAll,
  readyz: openToAll,
  health_ready: openToAll,
  metrics: openToAll,
  home_page: openToAll,
  get_openapi_document: openToAll,
  swagger_ui: openToAll,
  swagger_ui_index: openToAll,
  swagger_ui_openapi: openToAll,
  swagger_ui_file: openToAll,
  get_reference: openToAll,
  get_reference_page: openToAll,
  get_reference_page_in_folder: openToAll,
};
