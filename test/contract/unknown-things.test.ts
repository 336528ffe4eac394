import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { makeTenant, type Tenant } from '../fleet/fleet-builder.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { guarded, pathOf, requestOf, rowsOf } from './endpoint-calls.ts';

/** Answers to an admin about a thing that does not exist, if the contract fixes another answer than a 404 with the thing's code. */
const FIXED: Readonly<Record<string, string>> = {
  delete_agent: '204',
  v1_deregister_agent: '204',
  agents_list_labels: '200 []',
  agents_list_annotations: '200 []',
  list_targets: '200 []',
  get_target_state: '200 []',
  get_associated_stacks: '200 []',
  list_events: '200 []',
  stacks_list_labels: '200 []',
  stacks_list_annotations: '200 []',
  agents_add_label: '422 foreign_key_violation',
  agents_add_annotation: '422 foreign_key_violation',
  create_event: '422 foreign_key_violation',
  agents_remove_label: '404 agent_label_not_found',
  agents_remove_annotation: '404 agent_annotation_not_found',
  add_target: '403 agent_not_registered',
  remove_target: '403 agent_not_registered',
  record_heartbeat: '403 agent_pak_mismatch',
  list_pending_for_agent: '200 []',
  claim_work_order: '404 work_order_not_claimable',
};
const UNKNOWN = '00000000-0000-4000-8000-00000000dead';
const THINGS: readonly [path: RegExp, code: string][] = [
  [/\/templates\//, 'template_not_found'],
  [/\/work-orders\//, 'work_order_not_found'],
  [/\/work-order-log\//, 'work_order_log_entry_not_found'],
  [/\/agents\//, 'agent_not_found'],
  [/\/agent-events\//, 'agent_event_not_found'],
  [/\/stacks\//, 'stack_not_found'],
  [/\/deployment-objects\//, 'deployment_object_not_found'],
  [/\/generators\//, 'generator_not_found'],
  [/^\/v1\/(deployments|events)\//, 'stack_not_found'],
];

let host: TestHost;
let tenant: Tenant;
beforeAll(async () => {
  host = await startTestHost();
  tenant = await makeTenant(host);
});
afterAll(() => host.stop());

const withIds = guarded.filter(({ endpoint }) => endpoint.path.includes('{'));

test.each(rowsOf(withIds))('$title answers an admin about an unknown thing with its own code', async ({ one }) => {
  const { endpoint } = one;
  const [, parameter = ''] = /{(\w+)}/.exec(endpoint.path) ?? [];
  const path = pathOf(endpoint, tenant, { [parameter]: UNKNOWN });
  // The body names the same thing as the path.
  const owner = endpoint.path.includes('/agents/') ? tenant.agent.id : tenant.stack.id;
  const { body } = requestOf(one, tenant);
  const text = body === undefined ? undefined : JSON.stringify(body).replaceAll(owner, UNKNOWN);
  const call = text === undefined ? {} : { contentType: 'application/json' };
  const answer = await host.root.as(host.adminPak).send(endpoint.method, path, text, call);
  const known = THINGS.find(([pattern]) => pattern.test(endpoint.path));
  const wanted = FIXED[endpoint.id] ?? `404 ${known?.[1]}`;
  expect([answer.status, answer.body?.code ?? answer.text].filter((part) => part !== '').join(' ')).toBe(wanted);
});
