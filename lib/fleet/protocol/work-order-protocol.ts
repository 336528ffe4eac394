import * as z from 'zod';

/** The messages about work orders between the control plane, its callers and an agent. */

const id = z.guid();
const time = z.iso.datetime();

/** Where a work order stands. RETRY_PENDING is PENDING again when `next_retry_after` has come; the last two are told from its log entry. */
export const WorkOrderStatus = z.enum(['PENDING', 'CLAIMED', 'RETRY_PENDING', 'COMPLETED', 'FAILED']);
export type WorkOrderStatus = z.infer<typeof WorkOrderStatus>;

/** The children of an order for all agents, in numbers. */
export const ChildrenSum = z
  .object({
    total: z.int().min(0).describe('The children made so far'),
    open: z.int().min(0).describe('Those that have not ended'),
    completed: z.int().min(0),
    failed: z.int().min(0),
    cancelled: z.int().min(0),
  })
  .meta({ id: 'WorkOrderChildren' });
export type ChildrenSum = z.infer<typeof ChildrenSum>;

/** What an order for all agents, or one of its children, has beside the contract's members. */
const Family = {
  fan_out: z.literal('all').optional().describe('There if every agent that matches carries the order out, each by a child order'),
  parent_id: id.optional().describe('On a child order: the order for all agents'),
  children: ChildrenSum.optional().describe('On an order for all agents that is fetched by its id'),
};

export const WorkOrder = z
  .object({
    id,
    created_at: time,
    updated_at: time,
    work_type: z.string(),
    yaml_content: z.string(),
    status: WorkOrderStatus,
    claimed_by: id.nullable(),
    claimed_at: time.nullable(),
    claim_timeout_seconds: z.int().describe('The most time that one attempt may take, in seconds'),
    max_retries: z.int(),
    retry_count: z.int(),
    backoff_seconds: z.int(),
    next_retry_after: time.nullable(),
    last_error: z.string().nullable(),
    last_error_at: time.nullable(),
    ...Family,
  })
  .meta({ id: 'WorkOrder' });
export type WorkOrder = z.infer<typeof WorkOrder>;

export const ChildOrder = z
  .object({ id, agent_id: id, status: z.enum([...WorkOrderStatus.options, 'CANCELLED']) })
  .meta({ id: 'ChildWorkOrder' });
export type ChildOrder = z.infer<typeof ChildOrder>;

/**
 * A claim's lease. Its holder renews it, and stops working when it is over, by its own monotonic clock and from the seconds that it was
 * given. `token` proves the claim; `attempt` is 1 for the order's first claim and counts every later one.
 */
export const WorkOrderLease = z
  .object({ token: z.string(), attempt: z.int().min(1), seconds: z.int().min(0).describe('The time that is left, in seconds') })
  .meta({ id: 'WorkOrderLease' });
export type WorkOrderLease = z.infer<typeof WorkOrderLease>;

export const ClaimWorkOrder = z
  .object({
    agent_id: id,
    lease_seconds: z
      .int()
      .min(10)
      .max(86_400)
      .optional()
      .describe('Asks for a lease that is renewed. Without it the claim holds for the whole claim_timeout_seconds'),
  })
  .meta({ id: 'ClaimWorkOrder' });
export type ClaimWorkOrder = z.infer<typeof ClaimWorkOrder>;

/** `lease` is there if the claim asked for one. */
export const ClaimedWorkOrder = WorkOrder.extend({ lease: WorkOrderLease.optional() }).meta({ id: 'ClaimedWorkOrder' });
export type ClaimedWorkOrder = z.infer<typeof ClaimedWorkOrder>;

export const RenewWorkOrder = z.object({ token: z.string().min(1).max(200) }).meta({ id: 'RenewWorkOrder' });
export type RenewWorkOrder = z.infer<typeof RenewWorkOrder>;

/** The most of a failed Job's log that a result carries: bytes of UTF-8 from our agent, characters for the server. */
export const LOG_TAIL_BYTES = 16_384;

/** The outcome of one Job, or of one BuildRun. */
export const JobOutcome = z
  .object({
    kind: z.enum(['Job', 'BuildRun']),
    namespace: z.string().max(63),
    name: z.string().max(253),
    outcome: z.enum(['succeeded', 'failed', 'timed_out', 'stopped']),
    reason: z.string().max(1_000).optional(),
    message: z.string().max(4_000).optional(),
    image_digest: z.string().max(1_000).optional(),
    log_tail: z.string().max(LOG_TAIL_BYTES).optional().describe('The end of the log of a pod that failed'),
    log_missing: z.string().max(1_000).optional().describe('Why there is no log'),
  })
  .meta({ id: 'JobOutcome' });
export type JobOutcome = z.infer<typeof JobOutcome>;

/** What an attempt did, beside its human message. */
export const WorkOrderResultDetails = z
  .object({
    attempt: z.int().min(1).optional(),
    objects_applied: z.int().min(0).optional(),
    jobs: z.array(JobOutcome).max(20),
    duration_ms: z.int().min(0).optional(),
  })
  .meta({ id: 'WorkOrderResultDetails' });
export type WorkOrderResultDetails = z.infer<typeof WorkOrderResultDetails>;

export const CompleteWorkOrder = z
  .object({
    success: z.boolean(),
    message: z.string().max(32_768).nullish(),
    retryable: z.boolean().nullish().describe('Whether another attempt may succeed; true if absent'),
    token: z.string().min(1).max(200).nullish().describe('The token of the lease, if the claim asked for one'),
    details: WorkOrderResultDetails.nullish(),
  })
  .meta({ id: 'CompleteWorkOrder' });
export type CompleteWorkOrder = z.infer<typeof CompleteWorkOrder>;

export const WorkOrderLog = z
  .object({
    id: id.describe("The work order's id"),
    work_type: z.string(),
    created_at: time,
    claimed_at: time.nullable(),
    completed_at: time,
    claimed_by: id.nullable(),
    success: z.boolean(),
    retries_attempted: z.int(),
    result_message: z.string().nullable(),
    yaml_content: z.string(),
    result_details: WorkOrderResultDetails.optional(),
    parent_id: Family.parent_id,
    children: ChildrenSum.optional(),
  })
  .meta({ id: 'WorkOrderLog' });
export type WorkOrderLog = z.infer<typeof WorkOrderLog>;

/**
 * A header on every answer to an agent's poll of its assignments, the 304 too. Its text is opaque and changes when the agent may have a
 * new work order to claim, so that an idle agent needn't ask for its pending orders.
 */
export const WORK_ORDERS_HEADER = 'x-brokkr-work-orders';
