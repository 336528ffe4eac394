import * as z from 'zod';
import type { Selector } from '../fleet-table.ts';
import type { WorkOrder, WorkOrderStatus } from '../protocol/work-order-protocol.ts';
import type { OrderTarget } from './work-orders-table.ts';

export const Targeting = z.object({
  agent_ids: z.array(z.string()),
  labels: z.array(z.string()),
  annotations: z.record(z.string(), z.string()),
});
export type Targeting = z.infer<typeof Targeting>;

/** An order as its home stores it. */
export const StoredOrder = z.object({
  id: z.guid(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  work_type: z.string(),
  /** Null if an admin made it. */
  generator_id: z.guid().nullable(),
  targeting: Targeting,
  status: z.enum(['PENDING', 'CLAIMED', 'RETRY_PENDING']),
  /**
   * From this time on (the server's clock, in milliseconds) the order may be claimed: 0 for a new order, the time of its retry, or the end of
   * its lease. This one number decides every claim.
   */
  claimable_at: z.int(),
  claimed_by: z.guid().nullable(),
  claimed_at: z.iso.datetime().nullable(),
  /** Proves the latest claim. It stays after a failed attempt, to recognize a completion that comes twice. */
  token: z.string().nullable(),
  /** How often the order was claimed. */
  attempt: z.int(),
  /** The length of the lease that the claim asked for, in seconds. */
  lease_seconds: z.int().nullable(),
  claim_timeout_seconds: z.int(),
  max_retries: z.int(),
  retry_count: z.int(),
  backoff_seconds: z.int(),
  last_error: z.string().nullable(),
  last_error_at: z.iso.datetime().nullable(),
  body_chunks: z.int(),
  /** The agents that the order was offered to, the best first. */
  offered_to: z.array(z.guid()),
  /** The order has a child for each agent that it matched, and nobody claims it itself. */
  fan_out: z.literal('all').optional(),
  /** The order for all agents that this one was made for. Its YAML is this order's. */
  parent_id: z.guid().optional(),
});
export type StoredOrder = z.infer<typeof StoredOrder>;

/** Where the order stands now: a retry whose time has come, and a claim whose lease is over, are pending again. */
export const statusAt = ({ status, claimable_at }: StoredOrder, nowMs: number): WorkOrderStatus =>
  claimable_at <= nowMs ? 'PENDING' : status;

/** The order as the wire shows it now. */
export function toWire(order: StoredOrder, yaml_content: string, nowMs: number): WorkOrder {
  const status = statusAt(order, nowMs);
  const claimed = status === 'CLAIMED';
  return {
    id: order.id,
    created_at: order.created_at,
    updated_at: order.updated_at,
    work_type: order.work_type,
    yaml_content,
    status,
    claimed_by: claimed ? order.claimed_by : null,
    claimed_at: claimed ? order.claimed_at : null,
    claim_timeout_seconds: order.claim_timeout_seconds,
    max_retries: order.max_retries,
    retry_count: order.retry_count,
    backoff_seconds: order.backoff_seconds,
    next_retry_after: status === 'RETRY_PENDING' ? new Date(order.claimable_at).toISOString() : null,
    last_error: order.last_error,
    last_error_at: order.last_error_at,
    ...(order.fan_out && { fan_out: order.fan_out }),
    ...(order.parent_id !== undefined && { parent_id: order.parent_id }),
  };
}

export const selectorsOf = ({ labels, annotations }: Targeting): Selector[] => [
  ...labels.map((label) => ({ label })),
  ...Object.entries(annotations).map(([key, value]) => ({ key, value })),
];
export const targetsOf = (targeting: Targeting): OrderTarget[] => [
  ...targeting.agent_ids.map((agent_id) => ({ agent_id })),
  ...selectorsOf(targeting),
];

/** The latest moment to which a claim's lease may be extended: one attempt takes at most the order's claim_timeout_seconds. */
const endOfAttemptMs = ({ claimed_at, claim_timeout_seconds }: StoredOrder): number =>
  Date.parse(claimed_at ?? '') + claim_timeout_seconds * 1_000;

/** When a lease ends that begins or is renewed now, as its holder is told. */
export const leaseEndMs = (order: StoredOrder, nowMs: number): number =>
  Math.min(endOfAttemptMs(order), nowMs + (order.lease_seconds ?? order.claim_timeout_seconds) * 1_000);

/** The clocks of two servers differ by less than this. */
const CLOCK_SKEW_MS = 1_000;

/** When the order may be claimed again after a lease: a server whose clock is ahead must not give away one that its holder still counts on. */
export const claimableAfterMs = (order: StoredOrder, nowMs: number): number =>
  leaseEndMs(order, nowMs) + (order.lease_seconds === null ? 0 : CLOCK_SKEW_MS);

/** The longest wait before a retry. */
const LONGEST_BACKOFF_MS = 24 * 60 * 60_000;

/** When the retry after this many failures is due: the first one after twice the order's backoff, each later one after twice as long. */
export const retryAtMs = ({ backoff_seconds }: StoredOrder, failures: number, nowMs: number): number =>
  nowMs + Math.min(LONGEST_BACKOFF_MS, backoff_seconds * 1_000 * 2 ** failures);
