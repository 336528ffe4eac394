import type { AuditEntry } from '../../identity/audit.ts';
import type { Change } from '../../platform/database/commit.ts';
import { expiresAt } from '../../platform/database/table.ts';
import { occurrence } from '../../platform/events/domain-event.ts';
import { retryOnConcurrentChange } from '../concurrent-change.ts';
import { fleetError } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import { childEndEvents, childEndWrites } from './fan-out/children.ts';
import { fanOutCancelled } from './fan-out/fan-out-events.ts';
import { checkOwner, orderAudit } from './order-owner.ts';
import type { StoredOrder } from './work-order.ts';
import { findOrder, orderBodyExpireWrites, orderBodyRemoveWrites, orderRemoveWrites } from './work-order-repository.ts';

/**
 * Removes an order that has not ended. An agent that works on it learns so when it renews its lease. The children of an order for all agents
 * follow by an event.
 */
export const cancelWorkOrder = (ports: FleetPorts, caller: Caller, id: string): Promise<void> =>
  retryOnConcurrentChange(ports, 'work order', async () => {
    const order = await findOrder(ports.database, id);
    if (!order) throw fleetError('work_order_not_found');
    checkOwner(caller, order);
    await remove(ports, order, orderAudit(caller, 'workorder.deleted', order));
  });

/** Removes a live order whose generator was removed. */
export const removeOrphanedOrder = (ports: FleetPorts, id: string): Promise<void> =>
  ifLive(ports, id, (order) => remove(ports, order, orderAudit({ principal: { type: 'system' } }, 'workorder.deleted', order)));

/** Removes a live order whose parent was cancelled. */
export const removeChildOrder = (ports: FleetPorts, id: string): Promise<void> =>
  ifLive(ports, id, (order) => remove(ports, order, { unaudited: "follows from the parent's cancellation" }, []));

const ifLive = (ports: FleetPorts, id: string, change: (order: StoredOrder) => Promise<void>): Promise<void> =>
  retryOnConcurrentChange(ports, 'work order', async () => {
    const order = await findOrder(ports.database, id);
    if (order) await change(order);
  });

function remove(
  { commit, clock, eventRetentionDays }: FleetPorts,
  order: StoredOrder,
  audit: Change<AuditEntry>['audit'],
  events = childEndEvents(order),
): Promise<void> {
  const expires_at = expiresAt(clock.nowMs(), eventRetentionDays);
  if (order.fan_out === 'all') {
    // Log entries of its children show its YAML.
    const writes = [...orderRemoveWrites(order), ...orderBodyExpireWrites(order, expires_at)];
    return commit({ writes, audit, events: [occurrence(fanOutCancelled, { order_id: order.id, segment: 1 })] });
  }
  const writes = [...orderRemoveWrites(order), ...orderBodyRemoveWrites(order), ...childEndWrites(order, 'CANCELLED', expires_at)];
  return commit({ writes, audit, events });
}
