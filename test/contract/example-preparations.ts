import type { Step } from './contract-world.ts';

/**
 * The steps that must come before an example, besides making everything that it names. They are found by the example's key and written
 * as the recording writes requests.
 */
const step =
  (method: string) =>
  (path: string, body?: unknown, as = 'admin'): Step => ({ as, method, path, ...(body !== undefined && { body }) });
const post = step('POST');
const put = step('PUT');
const remove = step('DELETE');

const labelled = (what: 'agent' | 'stack', label: string) =>
  what === 'agent' ? post('/agents/<id agentA>/labels', { agent_id: '<id agentA>', label }) : post('/stacks/<id stackA>/labels', label);
const agentAnnotated = (key: string, value: string) => post('/agents/<id agentA>/annotations', { agent_id: '<id agentA>', key, value });
const stackAnnotated = (key: string, value: string) => post('/stacks/<id stackA>/annotations', { stack_id: '<id stackA>', key, value });
const registered = (agent: string, generator: string) => post(`/generators/<id ${generator}>/register`, { agent_id: `<id ${agent}>` });
const targeted = (stack: string) => post('/agents/<id agentA>/targets', { agent_id: '<id agentA>', stack_id: `<id ${stack}>` });
const deploymentObject = (name: string) => ({ ...step('GET')(`/deployment-objects/<id ${name}>`) });
const reported = (object: string, status: string, message: string | null = null) =>
  post('/agents/<id agentA>/events', {
    agent_id: '<id agentA>',
    deployment_object_id: `<id ${object}>`,
    event_type: 'DEPLOY',
    status,
    message,
  });
const described = put('/stacks/<id stackA>', {
  id: '<id stackA>',
  created_at: '<time>',
  updated_at: '<time>',
  name: 'sa-<run>',
  description: 'two',
  generator_id: '<id genA>',
});
const renamedC = put('/stacks/<id stackC>', {
  id: '<id stackC>',
  created_at: '<time>',
  updated_at: '<time>',
  name: 'sc2-<run>',
  generator_id: '<id genA>',
});
const goneGenC = remove('/generators/<id genC>');
const goneAgentD = remove('/agents/<id agentD>');
const goneStackD = remove('/stacks/<id stackD>');

const order = (name: string) => step('GET')(`/work-orders/<id ${name}>`);
const claimed = (name: string) => post(`/work-orders/<id ${name}>/claim`, { agent_id: '<id agentA>' }, 'agentA');
const completed = (name: string, body: object, as = 'agentA') => post(`/work-orders/<id ${name}>/complete`, body, as);
const done = [claimed('wo1'), completed('wo1', { success: true, message: 'done' })];
const calledOff = completed('wo4', { success: false, message: 'called off', retryable: false }, 'admin');
const failed = [claimed('wo3'), completed('wo3', { success: false })];
const failedTwice = [
  claimed('wo2'),
  completed('wo2', { success: false }),
  { waitMs: 2_100 },
  claimed('wo2'),
  completed('wo2', { success: false, message: 'gave up' }),
];

const template = (name: string) => step('GET')(`/templates/<id ${name}>`);
const templateLabelled = post('/templates/<id tplOwn>/labels', 'tl-<run>', 'genA');
const templateAnnotated = post('/templates/<id tplOwn>/annotations', { key: 'tier', value: 'gold-<run>' }, 'genA');
const templateGone = remove('/templates/<id tplOwn>', undefined, 'genA');

/** A preparation is a request, or time that passes. */
export type Preparation = Step | { waitMs: number };

export const preparations: Readonly<Record<string, readonly Preparation[]>> = {
  'GET /templates/<id tplOwn> as genA → 404': [templateGone],
  'PUT /templates/<id tplOwn> as genA → 200': [template('tplOwn2')],
  'PUT /templates/<id tplOwn2> as genA → 200': [template('tplOwn3')],
  'POST /templates/<id tplOwn>/labels as genA → 409': [templateLabelled],
  'GET /templates/<id tplOwn>/labels as admin → 200': [templateLabelled],
  'POST /templates/<id tplOwn>/annotations as genA → 409': [templateAnnotated],
  'GET /templates/<id tplOwn>/annotations as admin → 200': [templateAnnotated],
  'POST /stacks/<id stackC>/deployment-objects/from-template as genA → 422': [templateLabelled, templateAnnotated],
  'DELETE /templates/<id tplOwn>/labels/tl-<id run> as genA → 204': [templateLabelled],
  'DELETE /templates/<id tplOwn>/annotations/tier as genA → 204': [templateAnnotated],
  'DELETE /templates/<id tplOwn> as genA → 404': [templateGone],
  'GET /work-orders/<id wo1> as admin → 200 (2)': done,
  'POST /work-orders/<id wo1>/claim as agentA → 404': [claimed('wo1')],
  'POST /work-orders/<id wo1>/complete as agentB → 403': [claimed('wo1')],
  'POST /work-orders/<id wo1>/complete as agentA → 200': [claimed('wo1')],
  'POST /work-orders/<id wo1>/complete as agentA → 404': done,
  'POST /work-orders/<id wo3>/complete as agentA → 200': [claimed('wo3')],
  'DELETE /work-orders/<id wo1> as admin → 404': done,
  'GET /work-order-log?work_type=wt-<id run> as admin → 200': [...done, calledOff],
  'GET /work-order-log?agent_id=<id agentA> as admin → 200': [...done, ...failed],
  'GET /work-order-log/<id wo1> as admin → 200': done,
  'GET /work-order-log/<id wo2> as admin → 404': [order('wo2')],
  'GET /work-order-log/<id wo2> as admin → 200': failedTwice,

  'POST /generators as admin → 409': [step('GET')('/generators/<id genA>')],
  'GET /generators/<id genC> as admin → 404': [goneGenC],
  'PUT /generators/<id genD> as admin → 409': [step('GET')('/generators/<id genA>')],
  'DELETE /generators/<id genC> as admin → 404': [goneGenC],

  'POST /agents as admin → 409': [step('GET')('/agents/<id agentA>')],
  'GET /agents/?name=aa-<id run>&cluster_name=ca-<id run> as admin → 200': [step('GET')('/agents/<id agentA>')],
  'GET /agents/?name=aa-<id run>&cluster_name=ca-<id run> as agentB → 403': [step('GET')('/agents/<id agentA>')],
  'GET /agents/<id agentA> as admin → 200 (2)': [
    put('/agents/<id agentA>', { status: 'PAUSED' }),
    post('/agents/<id agentA>/heartbeat', {}, 'agentA'),
  ],
  'GET /agents/<id agentD> as admin → 404': [goneAgentD],
  'PUT /agents/<id agentC> as admin → 409': [step('GET')('/agents/<id agentA>')],
  'PUT /agents/<id agentD> as admin → 404': [goneAgentD],
  'POST /agents/<id agentC>/rotate-pak as admin → 200': [
    put('/agents/<id agentC>', { name: 'ac2-<run>', status: 'ACTIVE' }),
    post('/agents/<id agentC>/heartbeat', { k8s_reachable: true }, 'agentC'),
  ],
  'GET /agents/<id agentD>/registrations as admin → 404': [goneAgentD],

  'POST /agents/<id agentA>/labels as admin → 409': [labelled('agent', 'la-<run>')],
  'GET /agents/<id agentA>/labels as admin → 200': [labelled('agent', 'env:prod'), labelled('agent', 'la-<run>')],
  'DELETE /agents/<id agentB>/labels/a%2Fb as admin → 204': [post('/agents/<id agentB>/labels', { agent_id: '<id agentB>', label: 'a/b' })],
  'DELETE /agents/<id agentA>/labels/env%3Aprod as admin → 204': [labelled('agent', 'env:prod')],
  'POST /agents/<id agentA>/annotations as admin → 409': [agentAnnotated('region', 'eu-<run>')],
  'GET /agents/<id agentA>/annotations as admin → 200': [agentAnnotated('region', 'eu-<run>'), agentAnnotated('tier', 'x')],
  'DELETE /agents/<id agentA>/annotations/tier as admin → 204': [agentAnnotated('tier', 'x')],

  'POST /generators/<id genB>/register as agentB → 409': [registered('agentB', 'genB')],
  'GET /generators/<id genB>/registered-agents as admin → 200': ['agentA', 'agentB', 'agentC', 'agentD'].map((agent) =>
    registered(agent, 'genB'),
  ),
  'DELETE /generators/<id genB>/register as agentC → 204': [registered('agentC', 'genB')],
  'DELETE /generators/<id genB>/register as admin → 204': [registered('agentA', 'genB')],

  'POST /stacks as genB → 409': [step('GET')('/stacks/<id stackA>')],
  'GET /stacks/<id stackD> as genA → 404': [goneStackD],
  'POST /stacks/<id stackA>/labels as genA → 409': [labelled('stack', 'sl-<run>')],
  'GET /stacks/<id stackA>/labels as admin → 200': [labelled('stack', 'env:prod'), labelled('stack', 'sl-<run>')],
  'DELETE /stacks/<id stackA>/labels/env%3Aprod as genA → 204': [labelled('stack', 'env:prod')],
  'POST /stacks/<id stackA>/annotations as genA → 409': [stackAnnotated('team', 'core-<run>')],
  'GET /stacks/<id stackA>/annotations as admin → 200': [stackAnnotated('team', 'core-<run>')],
  'DELETE /stacks/<id stackA>/annotations/gone as genA → 204': [stackAnnotated('gone', 'x')],
  'DELETE /stacks/<id stackD> as genA → 404': [goneStackD],
  'GET /stacks/<id stackD>/deployment-objects as admin → 404': [goneStackD],

  'POST /agents/<id agentA>/targets as genA → 409': [targeted('stackA')],
  'GET /agents/<id agentA>/targets as admin → 200': [targeted('stackA')],
  'DELETE /agents/<id agentA>/targets/<id stackA> as genA → 204': [targeted('stackA')],
  'GET /agents/<id agentA>/stacks as admin → 200': [targeted('stackA'), described],
  'GET /agents/<id agentA>/stacks as agentA → 200': [targeted('stackA'), targeted('stackC'), described, renamedC],
  'GET /agents/<id agentA>/target-state as admin → 200': [targeted('stackA')],
  'GET /agents/<id agentA>/target-state as agentA → 200': [
    deploymentObject('doA'),
    deploymentObject('doC'),
    targeted('stackA'),
    targeted('stackC'),
  ],
  // Brokkr accepts an agent's reports on any deployment object; here the agent must have been told to run it.
  'POST /agents/<id agentA>/events as agentA → 201': [targeted('stackC')],
  'GET /agents/<id agentA>/events as admin → 200': [
    reported('doA1', 'FAILURE', 'no quota'),
    reported('doA1', 'whatever'),
    reported('doC', 'SUCCESS'),
  ],
  'GET /agent-events as admin → 200': [
    reported('doA1', 'FAILURE', 'no quota'),
    reported('doA1', 'whatever'),
    reported('doA2', 'FAILURE'),
    reported('doB', 'SUCCESS'),
    reported('doC', 'SUCCESS'),
  ],
  'GET /admin/audit-logs?resource_id=<id agentA>&limit=1000 as admin → 200': [
    put('/agents/<id agentA>', { status: 'ACTIVE' }),
    registered('agentA', 'genB'),
    remove('/generators/<id genB>/register', { agent_id: '<id agentA>' }),
  ],
  'GET /admin/audit-logs?resource_id=<id agentA>&action=agent.registered as admin → 200': [
    remove('/generators/<id genA>/register', { agent_id: '<id agentA>' }),
    registered('agentA', 'genA'),
    registered('agentA', 'genB'),
    remove('/generators/<id genB>/register', { agent_id: '<id agentA>' }),
    registered('agentA', 'genB'),
  ],
};
