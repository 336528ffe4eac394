import type { AuditEntry } from '../../identity/audit.ts';
import { decideFor } from '../../identity/principal.ts';
import type { ListPage } from '../../platform/list-page.ts';
import { retryOnConcurrentChange } from '../concurrent-change.ts';
import { fleetError } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import type { WorkOrder, WorkOrderLog } from '../protocol/work-order-protocol.ts';
import { orderAudit } from './create-work-order.ts';
import { type StoredOrder, toWire } from './work-order.ts';
import { listOrders, type OrderSearch } from './work-order-lists.ts';
import { findLogEntry, type LogSearch, listLog, readLog } from './work-order-log.ts';
import { findOrder, orderBodyRemoveWrites, orderRemoveWrites, readYaml } from './work-order-repository.ts';

/** Admins see every order, a generator its own. */
const checkOwner = ({ principal }: Caller, { generator_id }: { generator_id: string | null }): void =>
  decideFor(principal, {
    admin: () => {},
    agent: () => {
      throw fleetError('admin_required');
    },
    generator: ({ id }) => {
      if (id !== generator_id) throw fleetError('work_order_not_owned');
    },
  });

/** The generator whose orders alone the caller sees; undefined for an admin. */
const ownedBy = ({ principal }: Caller): string | undefined =>
  decideFor(principal, { admin: () => undefined, agent: ({ id }) => id, generator: ({ id }) => id });

export const listWorkOrders = (ports: FleetPorts, caller: Caller, search: OrderSearch): Promise<ListPage<WorkOrder>> =>
  listOrders(ports, { ...search, generator_id: ownedBy(caller) });

export const listWorkOrderLog = (ports: FleetPorts, caller: Caller, search: LogSearch): Promise<ListPage<WorkOrderLog>> =>
  listLog(ports, { ...search, generator_id: ownedBy(caller) });

export async function getWorkOrderLog(ports: FleetPorts, caller: Caller, id: string): Promise<WorkOrderLog> {
  const entry = await findLogEntry(ports, id);
  if (!entry) throw fleetError('work_order_log_entry_not_found');
  checkOwner(caller, entry);
  return readLog(ports, entry);
}

/** A live order, or what its log entry tells of one that has ended. */
export async function getWorkOrder(ports: FleetPorts, caller: Caller, id: string): Promise<WorkOrder> {
  const { database, clock } = ports;
  const order = await findOrder(database, id);
  if (order) {
    checkOwner(caller, order);
    const yaml = (await readYaml(database, [order])).get(id);
    if (yaml !== undefined) return toWire(order, yaml, clock.nowMs());
  }
  const entry = await findLogEntry(ports, id);
  if (!entry) throw fleetError('work_order_not_found');
  checkOwner(caller, entry);
  return endedOrder(await readLog(ports, entry));
}

/** The contract shows an order that has ended with settings of zero. */
const endedOrder = ({
  id,
  created_at,
  completed_at,
  work_type,
  yaml_content,
  success,
  claimed_by,
  claimed_at,
}: WorkOrderLog): WorkOrder => ({
  id,
  created_at,
  updated_at: completed_at,
  work_type,
  yaml_content,
  status: success ? 'COMPLETED' : 'FAILED',
  claimed_by,
  claimed_at,
  claim_timeout_seconds: 0,
  max_retries: 0,
  retry_count: 0,
  backoff_seconds: 0,
  next_retry_after: null,
  last_error: null,
  last_error_at: null,
});

/** Removes an order that has not ended. An agent that works on it learns so when it renews its lease. */
export const cancelWorkOrder = (ports: FleetPorts, caller: Caller, id: string): Promise<void> =>
  retryOnConcurrentChange(ports, 'work order', async () => {
    const order = await findOrder(ports.database, id);
    if (!order) throw fleetError('work_order_not_found');
    checkOwner(caller, order);
    await remove(ports, caller, order);
  });

const remove = ({ commit }: FleetPorts, actor: AuditEntry['actor'], order: StoredOrder): Promise<void> =>
  commit({
    writes: [...orderRemoveWrites(order), ...orderBodyRemoveWrites(order)],
    audit: orderAudit(actor, 'workorder.deleted', order),
  });

/** Removes a live order whose generator was removed. */
export const removeOrphanedOrder = (ports: FleetPorts, id: string): Promise<void> =>
  retryOnConcurrentChange(ports, 'work order', async () => {
    const order = await findOrder(ports.database, id);
    if (order) await remove(ports, { principal: { type: 'system' } }, order);
  });
