import { timestamp } from '../../../platform/clock.ts';
import { ConditionFailed, type Database } from '../../../platform/database/database.ts';
import { eachBounded } from '../../../platform/each-bounded.ts';
import { occurrence } from '../../../platform/events/domain-event.ts';
import { AlreadyHandled, handledMark } from '../../../platform/events/handled-mark.ts';
import { type Bounds, partitionSegment, type Segment, workSegment } from '../../../platform/events/segments.ts';
import { newTimedId } from '../../../platform/ids.ts';
import { liveAgentsAmong } from '../../agents/agent-repository.ts';
import { retryOnConcurrentChange } from '../../concurrent-change.ts';
import type { NotifyPorts } from '../../fleet-ports.ts';
import { agentMatchPk, fleetTable } from '../../fleet-table.ts';
import { nudgeAgent } from '../dispatch/nudge-agent.ts';
import { WORK_ORDER_DISPATCH_QUEUE } from '../dispatch/order-events.ts';
import { type StoredOrder, selectorsOf } from '../work-order.ts';
import { findOrder, orderNewWrites } from '../work-order-repository.ts';
import { orderChildKey, workOrdersTable } from '../work-orders-table.ts';
import { allMadeWrite, childNewWrite, childrenMadeWrite } from './children.ts';
import { type OrderFanOut, orderFanOut } from './fan-out-events.ts';
import { finishParent } from './finish-parent.ts';

const AGENTS_IN_SEGMENT = 500;
/** A child takes up to four writes, and one transaction has at most a hundred. */
const CHILDREN_AT_ONCE = 20;
const NUDGES_AT_ONCE = 25;

/**
 * Makes the children of an order for all agents, one segment of one target a message: an order for each agent that matches now. May run twice:
 * an agent that has a child already gets no other one. Costs about six writes an agent.
 */
export async function makeChildren(
  ports: NotifyPorts,
  { id: eventId, data }: { id: string; data: OrderFanOut },
  limit = AGENTS_IN_SEGMENT,
): Promise<void> {
  const { order_id, target, ...progress } = data;
  const parent = await findOrder(ports.database, order_id);
  if (!parent) return;
  const last = await workSegment(ports, eventId, progress, {
    limit,
    read: (bounds) => agentsOf(ports, parent, target, bounds),
    work: (agentIds) => ordersFor(ports, parent, agentIds),
    event: (next) => occurrence(orderFanOut, { order_id, target, ...next }),
  });
  if (!last) return;
  await (target < selectorsOf(parent.targeting).length ? goOn(ports, eventId, order_id, target + 1) : noMoreChildren(ports, order_id));
}

/** A segment of the agents of one target. */
async function agentsOf(
  { database, installation }: NotifyPorts,
  { targeting, generator_id }: StoredOrder,
  target: number,
  bounds: Bounds,
): Promise<Segment<string>> {
  const selector = selectorsOf(targeting)[target - 1];
  if (selector === undefined) return { things: targeting.agent_ids };
  const pk = agentMatchPk(generator_id ?? installation.system_generator_id, selector);
  const { things, ...rest } = await partitionSegment(database, fleetTable.name, { pk, fields: [] }, bounds);
  return { things: things.map(({ sk }) => sk), ...rest };
}

async function ordersFor(ports: NotifyPorts, parent: StoredOrder, agentIds: readonly string[]): Promise<void> {
  const live = [...(await liveAgentsAmong(ports.database, agentIds))];
  for (let from = 0; from < live.length; from += CHILDREN_AT_ONCE) {
    const some = live.slice(from, from + CHILDREN_AT_ONCE);
    await retryOnConcurrentChange(ports, 'work order', () => addChildren(ports, parent, some));
    await eachBounded(some, NUDGES_AT_ONCE, (agentId) => nudgeAgent(ports.database, agentId));
  }
}

/** Makes the orders of agents that have none yet. Does nothing if the parent is gone. */
async function addChildren(ports: NotifyPorts, parent: StoredOrder, agentIds: readonly string[]): Promise<void> {
  const { database, clock, commit } = ports;
  const missing = await withoutChild(database, parent.id, agentIds);
  if (missing.length === 0 || !(await findOrder(database, parent.id))) return;
  const now = timestamp(clock);
  const children = missing.map((agentId): StoredOrder => {
    const targeting = { agent_ids: [agentId], labels: [], annotations: {} };
    const { fan_out: _all, ...settings } = parent;
    return { ...settings, id: newTimedId(clock.nowMs()), parent_id: parent.id, created_at: now, updated_at: now, targeting };
  });
  await commit({
    writes: [
      childrenMadeWrite(parent.id, children.length),
      ...children.flatMap((child) => [...orderNewWrites(child), childNewWrite(parent.id, child)]),
    ],
    audit: { unaudited: "follows from the creation of the orders' parent" },
  });
}

async function withoutChild(database: Database, parentId: string, agentIds: readonly string[]): Promise<string[]> {
  const keys = agentIds.map((agentId) => orderChildKey(parentId, agentId));
  const known = new Set((await database.batchGet(workOrdersTable.name, keys)).map(({ sk }) => sk));
  return agentIds.filter((agentId) => !known.has(agentId));
}

/** Queues the next target, once. */
async function goOn({ commit, clock }: NotifyPorts, eventId: string, order_id: string, target: number): Promise<void> {
  try {
    await commit({
      writes: [handledMark(workOrdersTable.name, { queue: WORK_ORDER_DISPATCH_QUEUE, eventId, nowMs: clock.nowMs() })],
      audit: { unaudited: 'bookkeeping: the next target of an order for all agents' },
      events: [occurrence(orderFanOut, { order_id, target, segment: 1 })],
    });
  } catch (error) {
    if (!(error instanceof AlreadyHandled)) throw error;
  }
}

async function noMoreChildren(ports: NotifyPorts, parentId: string): Promise<void> {
  try {
    await ports.commit({
      writes: [allMadeWrite(parentId)],
      audit: { unaudited: 'bookkeeping: an order for all agents has all its children' },
    });
  } catch (error) {
    if (error instanceof ConditionFailed) return;
    throw error;
  }
  await finishParent(ports, parentId);
}
