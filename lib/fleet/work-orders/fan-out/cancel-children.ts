import { eachBounded } from '../../../platform/each-bounded.ts';
import { occurrence } from '../../../platform/events/domain-event.ts';
import { partitionSegment, workSegment } from '../../../platform/events/segments.ts';
import type { NotifyPorts } from '../../fleet-ports.ts';
import { removeChildOrder } from '../cancel-work-order.ts';
import { orderChildPk, workOrdersTable } from '../work-orders-table.ts';
import { childOf, sumRemoveWrites } from './children.ts';
import { type FanOutCancelled, fanOutCancelled } from './fan-out-events.ts';

const CHILDREN_IN_SEGMENT = 500;
const AT_ONCE = 10;

/** Cancels the children of a cancelled order. No new ones appear, since they are made only while their parent is there. May run twice. */
export async function cancelChildren(
  ports: NotifyPorts,
  { id: eventId, data }: { id: string; data: FanOutCancelled },
  limit = CHILDREN_IN_SEGMENT,
): Promise<void> {
  const { order_id, ...progress } = data;
  const last = await workSegment(ports, eventId, progress, {
    limit,
    read: (bounds) => partitionSegment(ports.database, workOrdersTable.name, { pk: orderChildPk(order_id) }, bounds),
    work: (items) =>
      eachBounded(
        items.map(childOf).filter(({ outcome }) => outcome === undefined),
        AT_ONCE,
        ({ id }) => removeChildOrder(ports, id),
      ),
    event: (next) => occurrence(fanOutCancelled, { order_id, ...next }),
  });
  if (last) await ports.commit({ writes: sumRemoveWrites(order_id), audit: { unaudited: 'bookkeeping: counters of a cancelled order' } });
}
