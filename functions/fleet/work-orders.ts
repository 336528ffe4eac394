import * as z from 'zod';
import {
  ChildOrder,
  ClaimedWorkOrder,
  ClaimWorkOrder,
  CompleteWorkOrder,
  RenewWorkOrder,
  WorkOrder,
  WorkOrderLease,
  WorkOrderLog,
} from '../../lib/fleet/protocol/work-order-protocol.ts';
import { cancelWorkOrder } from '../../lib/fleet/work-orders/cancel-work-order.ts';
import { claimWorkOrder, renewWorkOrder } from '../../lib/fleet/work-orders/claim-work-order.ts';
import { completeWorkOrder } from '../../lib/fleet/work-orders/complete-work-order.ts';
import { createWorkOrder } from '../../lib/fleet/work-orders/create-work-order.ts';
import { listPendingOrders, OrderCursor } from '../../lib/fleet/work-orders/work-order-lists.ts';
import { LogCursor } from '../../lib/fleet/work-orders/work-order-log.ts';
import {
  getWorkOrder,
  getWorkOrderLog,
  listChildOrders,
  listWorkOrderLog,
  listWorkOrders,
} from '../../lib/fleet/work-orders/work-order-service.ts';
import { reply } from '../../lib/platform/http/endpoint.ts';
import { LONGEST_PAGE } from '../../lib/platform/list-page.ts';
import { DescribedYaml, OBJECT_BODY_LIMIT_BYTES } from './deployment-object-body.ts';
import {
  API,
  adminOrAgentItself,
  adminOrAnyGenerator,
  adminOrSelf,
  callerOf,
  checkedInService,
  endpoint,
  fleetFunction,
  Id,
  IdParams,
} from './fleet-endpoint.ts';
import { answerPage, PAGED } from './list-answer.ts';

const tag = 'work orders';
const owner = adminOrAnyGenerator('admin_required');
const DAY_SECONDS = 86_400;
const ClaimRequest = ClaimWorkOrder.extend({ agent_id: Id }).meta({ id: 'ClaimWorkOrderRequest' });
const limit = z.coerce.number().int().min(1).max(LONGEST_PAGE).default(LONGEST_PAGE);
const workType = z.string().max(50);

const Targeting = z
  .object({
    agent_ids: z.array(Id).nullish(),
    labels: z.array(z.string()).nullish(),
    annotations: z.record(z.string(), z.string()).nullish(),
  })
  .meta({ id: 'WorkOrderTargeting' });
const NewWorkOrder = z
  .object({
    work_type: workType.describe('`custom` and `build` are carried out by our agent; others by agents of your own'),
    yaml_content: DescribedYaml,
    max_retries: z.int().min(0).max(100).nullish().describe('3 if absent'),
    backoff_seconds: z.int().min(1).max(DAY_SECONDS).nullish().describe('60 if absent; each retry waits twice as long as the one before'),
    claim_timeout_seconds: z
      .int()
      .min(1)
      .max(7 * DAY_SECONDS)
      .nullish()
      .describe('The most time that one attempt may take; 3600 if absent'),
    targeting: Targeting.nullish(),
    fan_out: z
      .enum(['any', 'all'])
      .nullish()
      .describe('`any` (if absent): one agent carries the order out. `all`: each agent that matches now does, by a child order of its own'),
    target_agent_ids: z.array(Id).nullish().describe('The older form of targeting.agent_ids'),
  })
  .meta({ id: 'CreateWorkOrderRequest' });

export const workOrderEndpoints = [
  endpoint({
    id: 'list_work_orders',
    method: 'GET',
    path: `${API}/work-orders`,
    summary: 'List work orders that have not ended, newest first',
    tag,
    description: `A generator sees its own. ${PAGED}`,
    access: owner,
    query: z.object({ status: z.string().max(20).optional(), work_type: workType.optional(), limit, cursor: OrderCursor }),
    status: 200,
    response: z.array(WorkOrder),
    errors: ['admin_required'],
    handle: async (context, { query }) => answerPage(await listWorkOrders(context.services, callerOf(context), query)),
  }),
  endpoint({
    id: 'create_work_order',
    method: 'POST',
    path: `${API}/work-orders`,
    summary: 'Create a work order',
    tag,
    description:
      'An order is for every agent that is named, has one of the labels, or has one of the annotations; one of them carries it out, or with `fan_out: "all"` each of them. A generator addresses the agents that are registered with it.',
    access: owner,
    body: NewWorkOrder,
    bodyLimitBytes: OBJECT_BODY_LIMIT_BYTES,
    status: 201,
    response: WorkOrder,
    errors: [
      'admin_required',
      'no_targeting_specified',
      'invalid_work_order',
      'invalid_label',
      'invalid_annotation',
      'foreign_key_violation',
      'agent_not_registered',
      'too_many',
    ],
    handle(context, { body }) {
      const { targeting, target_agent_ids, max_retries, backoff_seconds, claim_timeout_seconds } = body;
      return createWorkOrder(context.services, callerOf(context), {
        work_type: body.work_type,
        yaml_content: body.yaml_content,
        max_retries: max_retries ?? 3,
        backoff_seconds: backoff_seconds ?? 60,
        claim_timeout_seconds: claim_timeout_seconds ?? 3_600,
        fan_out: body.fan_out ?? 'any',
        targeting: {
          agent_ids: [...(targeting?.agent_ids ?? []), ...(target_agent_ids ?? [])],
          labels: targeting?.labels ?? [],
          annotations: targeting?.annotations ?? {},
        },
      });
    },
  }),
  endpoint({
    id: 'get_work_order',
    method: 'GET',
    path: `${API}/work-orders/{id}`,
    summary: 'Fetch a work order',
    tag,
    description: 'An order that has ended is told from its log entry, as COMPLETED or FAILED.',
    access: owner,
    params: IdParams,
    status: 200,
    response: WorkOrder,
    errors: ['admin_required', 'work_order_not_found', 'work_order_not_owned'],
    handle: (context, { params }) => getWorkOrder(context.services, callerOf(context), params.id),
  }),
  endpoint({
    id: 'delete_work_order',
    method: 'DELETE',
    path: `${API}/work-orders/{id}`,
    summary: 'Cancel a work order',
    tag,
    description: 'An agent that works on it stops at its next renewal. With an order for all agents its children are cancelled.',
    access: owner,
    params: IdParams,
    status: 204,
    errors: ['admin_required', 'work_order_not_found', 'work_order_not_owned'],
    handle: (context, { params }) => cancelWorkOrder(context.services, callerOf(context), params.id),
  }),
  endpoint({
    id: 'list_child_work_orders',
    method: 'GET',
    path: `${API}/work-orders/{id}/children`,
    summary: 'List the child orders of a work order for all agents',
    tag,
    description: `One for each agent, by the ids of the agents. ${PAGED}`,
    access: owner,
    params: IdParams,
    query: z.object({ limit: z.coerce.number().int().min(1).max(1_000).default(1_000), cursor: OrderCursor }),
    status: 200,
    response: z.array(ChildOrder),
    errors: ['admin_required', 'work_order_not_found', 'work_order_not_owned'],
    handle: async (context, { params, query }) => answerPage(await listChildOrders(context.services, callerOf(context), params.id, query)),
  }),
  endpoint({
    id: 'list_pending_for_agent',
    method: 'GET',
    path: `${API}/agents/{id}/work-orders/pending`,
    summary: 'List the work orders that an agent may claim, oldest first',
    tag,
    description: PAGED,
    access: adminOrSelf,
    params: IdParams,
    query: z.object({ work_type: workType.optional(), limit, cursor: OrderCursor }),
    status: 200,
    response: z.array(WorkOrder),
    handle: async ({ services }, { params, query }) => answerPage(await listPendingOrders(services, params.id, query)),
  }),
  endpoint({
    id: 'claim_work_order',
    method: 'POST',
    path: `${API}/work-orders/{id}/claim`,
    summary: 'Claim a work order',
    tag,
    description:
      'One of several agents that claim at once gets it. With `lease_seconds` the claim ends after that time unless it is renewed; without, after claim_timeout_seconds.',
    access: adminOrAgentItself,
    params: IdParams,
    body: ClaimRequest,
    status: 200,
    response: ClaimedWorkOrder,
    errors: ['agent_pak_mismatch', 'work_order_not_claimable'],
    handle: (context, { params, body }) => claimWorkOrder(context.services, callerOf(context), params.id, body),
  }),
  endpoint({
    id: 'renew_work_order',
    method: 'POST',
    path: `${API}/work-orders/{id}/renew`,
    summary: "Renew a claim's lease",
    tag,
    description: 'The lease is never extended beyond claim_timeout_seconds after the claim. A 404 says that the order was cancelled.',
    access: adminOrAgentItself,
    params: IdParams,
    body: RenewWorkOrder,
    status: 200,
    response: WorkOrderLease,
    errors: ['agent_pak_mismatch', 'work_order_not_found', 'work_order_not_claimed_by_agent', 'work_order_lease_lost'],
    handle: (context, { params, body }) => renewWorkOrder(context.services, callerOf(context), params.id, body.token),
  }),
  endpoint({
    id: 'complete_work_order',
    method: 'POST',
    path: `${API}/work-orders/{id}/complete`,
    summary: 'Report the outcome of a work order',
    tag,
    description:
      'The answer is the log entry if the order has ended, and 202 with `{"status":"retry_scheduled"}` if another attempt follows. The same completion with the token of its lease can be sent again.',
    access: checkedInService('admin or the agent that claimed it', 'admin', 'agent'),
    params: IdParams,
    body: CompleteWorkOrder,
    status: 200,
    response: WorkOrderLog,
    errors: ['work_order_not_found', 'work_order_not_claimed_by_agent', 'work_order_lease_lost', 'invalid_work_order'],
    async handle(context, { params, body }) {
      const completion = await completeWorkOrder(context.services, callerOf(context), params.id, body);
      if (completion.kind === 'ended') return completion.log;
      return reply<z.input<typeof WorkOrderLog>>({
        status: 202,
        text: JSON.stringify({ status: 'retry_scheduled' }),
        headers: { 'content-type': 'application/json' },
      });
    },
  }),
  endpoint({
    id: 'list_work_order_log',
    method: 'GET',
    path: `${API}/work-order-log`,
    summary: 'List finished work orders, the last completed first',
    tag,
    description: `A generator sees its own. ${PAGED}`,
    access: owner,
    query: z.object({
      work_type: workType.optional(),
      success: z
        .enum(['true', 'false'])
        .transform((text) => text === 'true')
        .optional(),
      agent_id: Id.optional(),
      limit: z.coerce.number().int().min(0).max(LONGEST_PAGE).default(LONGEST_PAGE),
      cursor: LogCursor,
    }),
    status: 200,
    response: z.array(WorkOrderLog),
    errors: ['admin_required'],
    handle: async (context, { query }) => answerPage(await listWorkOrderLog(context.services, callerOf(context), query)),
  }),
  endpoint({
    id: 'get_work_order_log',
    method: 'GET',
    path: `${API}/work-order-log/{id}`,
    summary: 'Fetch a finished work order',
    tag,
    access: owner,
    params: IdParams,
    status: 200,
    response: WorkOrderLog,
    errors: ['admin_required', 'work_order_log_entry_not_found', 'work_order_not_owned'],
    handle: (context, { params }) => getWorkOrderLog(context.services, callerOf(context), params.id),
  }),
];
export const handler = fleetFunction(workOrderEndpoints);
