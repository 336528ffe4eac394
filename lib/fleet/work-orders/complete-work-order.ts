import { timestamp } from '../../platform/clock.ts';
import { expiresAt } from '../../platform/database/table.ts';
import { retryOnConcurrentChange } from '../concurrent-change.ts';
import { fleetError } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import type { CompleteWorkOrder, WorkOrderLog } from '../protocol/work-order-protocol.ts';
import { checkHolder } from './claim-work-order.ts';
import { announceClaimable } from './dispatch/order-events.ts';
import { childEndEvents, childEndWrites } from './fan-out/children.ts';
import { orderAudit } from './order-owner.ts';
import { retryAtMs, type StoredOrder } from './work-order.ts';
import { findLogEntry, logWrites, readLog, type StoredLog } from './work-order-log.ts';
import { findOrder, orderBodyExpireWrites, orderHeldWrite, orderRemoveWrites, readYaml } from './work-order-repository.ts';

/** The outcome of a completion: the log entry of an order that has ended, or the retry that follows. */
export type Completion = { kind: 'ended'; log: WorkOrderLog } | { kind: 'retry' };

/** What Brokkr stores for a failure without a message (spec 5.1). */
const UNKNOWN_ERROR = 'Unknown error';

/**
 * Ends an attempt. A success, a failure that no retry can help and the last failure end the order: its home goes and its log entry comes
 * in one transaction. Every other failure schedules a retry.
 *
 * With a token the completion belongs to that claim: it is refused if there was a later claim, and the same completion again gets the same
 * answer. Without one the caller must be the agent that holds the claim. An admin may end every order.
 */
export const completeWorkOrder = (ports: FleetPorts, caller: Caller, id: string, result: CompleteWorkOrder): Promise<Completion> =>
  retryOnConcurrentChange(ports, 'work order', async () => {
    const order = await findOrder(ports.database, id);
    if (order?.fan_out) throw fleetError('invalid_work_order', { message: 'an order for all agents ends with its children; cancel it' });
    if (!order) return repeated(ports, await findLogEntry(ports, id), caller, result);
    const { token } = result;
    if (typeof token === 'string' && order.token !== token) throw fleetError('work_order_lease_lost');
    if (typeof token === 'string' && order.status === 'RETRY_PENDING') return { kind: 'retry' };
    checkHolder(caller, order.status === 'CLAIMED' ? order.claimed_by : null);
    return mayRetry(order, result) ? scheduleRetry(ports, caller, order, result) : end(ports, caller, order, result);
  });

/** The answer to a completion of an order that has ended: the stored one if its token is the last claim's. */
async function repeated(
  ports: FleetPorts,
  entry: StoredLog | undefined,
  caller: Caller,
  { token }: CompleteWorkOrder,
): Promise<Completion> {
  if (!entry || typeof token !== 'string') throw fleetError('work_order_not_found');
  if (entry.token !== token) throw fleetError('work_order_lease_lost');
  checkHolder(caller, entry.claimed_by);
  return { kind: 'ended', log: await readLog(ports, entry) };
}

const mayRetry = ({ retry_count, max_retries }: StoredOrder, { success, retryable }: CompleteWorkOrder): boolean =>
  !success && retryable !== false && retry_count + 1 <= max_retries;

async function scheduleRetry(ports: FleetPorts, caller: Caller, order: StoredOrder, { message }: CompleteWorkOrder): Promise<Completion> {
  const nowMs = Math.floor(ports.clock.nowMs());
  const now = new Date(nowMs).toISOString();
  const retry_count = order.retry_count + 1;
  const last_error = message ?? UNKNOWN_ERROR;
  const claimable_at = retryAtMs(order, retry_count, nowMs);
  const state = {
    status: 'RETRY_PENDING',
    retry_count,
    claimed_by: null,
    claimed_at: null,
    claimable_at,
    last_error,
    last_error_at: now,
  } as const;
  await ports.commit({
    writes: [orderHeldWrite(order, { ...state, updated_at: now })],
    audit: orderAudit(caller, 'workorder.retry', order, {
      agent_id: order.claimed_by,
      retry_count,
      next_retry_after: new Date(claimable_at).toISOString(),
    }),
    events: [announceClaimable({ ...order, ...state }, claimable_at)],
  });
  return { kind: 'retry' };
}

async function end(ports: FleetPorts, caller: Caller, order: StoredOrder, result: CompleteWorkOrder): Promise<Completion> {
  const { success, message, details } = result;
  const claimed = order.status === 'CLAIMED';
  const entry: StoredLog = {
    id: order.id,
    work_type: order.work_type,
    created_at: order.created_at,
    claimed_at: claimed ? order.claimed_at : null,
    completed_at: timestamp(ports.clock),
    claimed_by: claimed ? order.claimed_by : null,
    success,
    retries_attempted: order.retry_count,
    result_message: message ?? (success ? null : UNKNOWN_ERROR),
    generator_id: order.generator_id,
    token: order.token,
    body_chunks: order.body_chunks,
    ...(details && { result_details: details }),
    ...(order.parent_id !== undefined && { parent_id: order.parent_id }),
  };
  const yaml = await readYaml(ports.database, [order]);
  const expires_at = expiresAt(ports.clock.nowMs(), ports.eventRetentionDays);
  await ports.commit({
    writes: [
      ...orderRemoveWrites(order),
      ...orderBodyExpireWrites(order, expires_at),
      ...logWrites(entry, expires_at),
      ...childEndWrites(order, success ? 'COMPLETED' : 'FAILED', expires_at),
    ],
    audit: orderAudit(caller, success ? 'workorder.completed' : 'workorder.failed', order, { agent_id: entry.claimed_by }),
    events: childEndEvents(order),
  });
  return { kind: 'ended', log: await readLog(ports, entry, yaml.get(order.id)) };
}
