import type { Item } from '../../platform/database/database.ts';
import { eachBounded } from '../../platform/each-bounded.ts';
import { occurrence } from '../../platform/events/domain-event.ts';
import { acknowledge, type OutboxItem } from '../../platform/events/outbox.ts';
import { partitionSegment, workSegment } from '../../platform/events/segments.ts';
import type { NotifyPorts } from '../fleet-ports.ts';
import { agentPk, agentTargetKey, fleetTable, generatorPk, stackPk } from '../fleet-table.ts';
import { removeOrphanedOrder } from '../work-orders/cancel-work-order.ts';
import { orderOwnerPk, workOrdersTable } from '../work-orders/work-orders-table.ts';
import { clearAgentItem } from './clear-agent.ts';
import { clearGeneratorItem } from './clear-generator.ts';
import { clearStackItem } from './clear-stack.ts';
import { clearTargets } from './clear-targets.ts';
import { CLEAN_UP_QUEUE, type FleetRemoval, FleetRemoved, fleetRemoved } from './fleet-removed.ts';

/**
 * Clears away the remains of a removed stack, agent, generator or registration. Each message clears one segment of the partition. Each
 * item is removed after the items that it leads to, so that a crash leaves nothing that can't be found. May be repeated.
 */
interface Clearing {
  table: string;
  pk: string;
  prefix?: string;
  /** The number of items in a segment. An item takes a few calls to the store, a generator's stack some dozens. */
  limit: number;
  /** Up to this many items are cleared within the request. Undefined if callers can't see them, so that they can wait. */
  inRequest?: number;
  work(items: readonly Item[]): Promise<void>;
}
const AT_ONCE = 25;
const table = fleetTable.name;

const each = (work: (item: Item) => Promise<unknown>) => (items: readonly Item[]) => eachBounded(items, AT_ONCE, work);

function clearingOf(ports: NotifyPorts, removal: FleetRemoval): Clearing {
  switch (removal.kind) {
    case 'stack':
      return { table, pk: stackPk(removal.stack_id), limit: 500, work: each((item) => clearStackItem(ports, removal, item)) };
    case 'agent':
      return { table, pk: agentPk(removal.agent_id), limit: 1_000, work: each((item) => clearAgentItem(ports.database, removal, item)) };
    case 'generator': {
      const work = each((item) => clearGeneratorItem(ports, removal, item));
      return { table, pk: generatorPk(removal.generator_id), limit: 200, inRequest: 20, work };
    }
    case 'generator-orders': {
      const where = { table: workOrdersTable.name, pk: orderOwnerPk(removal.generator_id) };
      return { ...where, limit: 200, inRequest: 20, work: each((item) => removeOrphanedOrder(ports, item.sk)) };
    }
    case 'registration': {
      const where = { table, pk: agentPk(removal.agent_id), prefix: agentTargetKey('', '').sk };
      return { ...where, limit: 400, inRequest: 100, work: (items) => clearTargets(ports, removal, items) };
    }
  }
}

export async function cleanUp(ports: NotifyPorts, { id, data }: { id: string; data: FleetRemoved }): Promise<void> {
  const { removal, pass, ...progress } = data;
  const { limit, work, inRequest, table, ...where } = clearingOf(ports, removal);
  const done = await workSegment(ports, id, progress, {
    limit,
    read: (bounds) => partitionSegment(ports.database, table, where, bounds),
    work,
    event: (next) => occurrence(fleetRemoved, { removal, pass, ...next }),
  });
  if (done && pass === 1 && inRequest === undefined) await lookAgainLater(ports, removal);
}

/**
 * Removes the stacks and orders of a removed generator, or the targets of an ended registration within the request, if they are few, so that the
 * caller finds them gone. Otherwise returns the event for the queues. The second pass is left to the sweep.
 */
export async function clearFewNow(ports: NotifyPorts, item: OutboxItem): Promise<OutboxItem | undefined> {
  const { removal, pass, segment } = FleetRemoved.parse(item.data);
  if (pass === 2) return undefined;
  const { inRequest, work, table, ...where } = clearingOf(ports, removal);
  if (inRequest === undefined || segment > 1) return item;
  const { things, next } = await partitionSegment(ports.database, table, where, { limit: inRequest });
  if (next !== undefined) return item;
  await work(things);
  return acknowledge(item, CLEAN_UP_QUEUE, ports.outbox);
}

/**
 * Stores the event of a second pass. A request that was admitted before the removal may still write a report or a told item. The sweep of
 * the outbox takes the event up, and it waits for longer than any request may take.
 */
const lookAgainLater = ({ commit }: NotifyPorts, removal: FleetRemoval): Promise<void> =>
  commit({
    writes: [],
    audit: { unaudited: 'bookkeeping: the second look after a removal' },
    events: [occurrence(fleetRemoved, { removal, pass: 2, segment: 1 })],
  });
