import type { ListPage, PageRequest } from '../../platform/list-page.ts';
import { fleetError } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import type { ChildOrder, WorkOrder, WorkOrderLog } from '../protocol/work-order-protocol.ts';
import { childOf, readSum } from './fan-out/children.ts';
import { checkOwner, ownedBy } from './order-owner.ts';
import { statusAt, toWire } from './work-order.ts';
import { listOrders, type OrderSearch } from './work-order-lists.ts';
import { findLogEntry, type LogSearch, listLog, readLog } from './work-order-log.ts';
import { findOrder, findOrders, readYaml } from './work-order-repository.ts';
import { orderChildPk, workOrdersTable } from './work-orders-table.ts';

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
    const sum = order.fan_out && (await readSum(database, id));
    if (yaml !== undefined) return { ...toWire(order, yaml, clock.nowMs()), ...(sum && { children: sum.children }) };
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
  parent_id,
  children,
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
  ...(parent_id !== undefined && { parent_id }),
  ...(children && { fan_out: 'all', children }),
});

/** Lists the children of an order for all agents, by the ids of their agents. A child costs a read for its item and one for its home. */
export async function listChildOrders(
  ports: FleetPorts,
  caller: Caller,
  id: string,
  { limit, cursor }: PageRequest & { limit: number },
): Promise<ListPage<ChildOrder>> {
  const { database, clock } = ports;
  const parent = (await findOrder(database, id)) ?? (await findLogEntry(ports, id));
  if (!parent) throw fleetError('work_order_not_found');
  checkOwner(caller, parent);
  const page = await database.query(workOrdersTable.name, { pk: orderChildPk(id), limit, ...(cursor !== undefined && { after: cursor }) });
  const children = page.items.map(childOf);
  const live = children.filter(({ outcome }) => outcome === undefined).map((child) => child.id);
  const orders = new Map((await findOrders(database, live)).map((order) => [order.id, order]));
  const nowMs = clock.nowMs();
  const items = children.flatMap((child): ChildOrder[] => {
    const order = orders.get(child.id);
    const status = child.outcome ?? (order && statusAt(order, nowMs));
    // A child that has ended since its item was read is left out rather than told wrongly.
    return status === undefined ? [] : [{ id: child.id, agent_id: child.sk, status }];
  });
  return { items, ...(page.next !== undefined && { next: page.next }) };
}
