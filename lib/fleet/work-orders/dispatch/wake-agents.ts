import { ConditionFailed } from '../../../platform/database/database.ts';
import { eachBounded } from '../../../platform/each-bounded.ts';
import { occurrence } from '../../../platform/events/domain-event.ts';
import { partitionSegment, workSegment } from '../../../platform/events/segments.ts';
import type { NotifyPorts } from '../../fleet-ports.ts';
import { agentMatchPk, fleetTable } from '../../fleet-table.ts';
import { type StoredOrder, targetsOf } from '../work-order.ts';
import { ownerOf } from '../work-order-repository.ts';
import { type OrderTarget, orderWakeKey, workOrdersTable } from '../work-orders-table.ts';
import { nudgeAgent } from './nudge-agent.ts';
import { type AgentsWoken, agentsWoken } from './order-events.ts';

/** The agents of a target are woken at most this often, however many orders wait for them. */
const WAKE_EVERY_MS = 15_000;
const AGENTS_IN_SEGMENT = 1_000;
const AT_ONCE = 25;

/**
 * Wakes all agents that an order is for, unless they were woken a moment ago, when the order was there already. Costs one write for each of the
 * order's targets.
 */
export const wakeAgents = (ports: NotifyPorts, order: StoredOrder): Promise<void> =>
  eachBounded(targetsOf(order.targeting), AT_ONCE, async (target) => {
    if ('agent_id' in target) return nudgeAgent(ports.database, target.agent_id);
    try {
      await wakeAll(ports, order, target);
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
    }
  });

function wakeAll({ commit, clock, installation }: NotifyPorts, order: StoredOrder, target: OrderTarget): Promise<void> {
  const nowMs = Math.floor(clock.nowMs());
  const put = { ...orderWakeKey(ownerOf(order), target), type: 'order-wake', at_ms: nowMs, expires_at: Math.ceil(nowMs / 1_000) + 3_600 };
  return commit({
    writes: [{ table: workOrdersTable.name, put, if: { below: { at_ms: nowMs - WAKE_EVERY_MS } } }],
    audit: { unaudited: 'bookkeeping: agents look for orders' },
    events: [occurrence(agentsWoken, { generator_id: order.generator_id ?? installation.system_generator_id, target, segment: 1 })],
  });
}

/** Wakes a segment of the agents of a target. */
export async function wakeSegment(
  ports: NotifyPorts,
  { id, data: { generator_id, target, ...progress } }: { id: string; data: AgentsWoken },
  limit = AGENTS_IN_SEGMENT,
): Promise<void> {
  if ('agent_id' in target) return nudgeAgent(ports.database, target.agent_id);
  await workSegment(ports, id, progress, {
    limit,
    read: (bounds) => partitionSegment(ports.database, fleetTable.name, { pk: agentMatchPk(generator_id, target), fields: [] }, bounds),
    work: (edges) => eachBounded(edges, AT_ONCE, ({ sk }) => nudgeAgent(ports.database, sk)),
    event: (next) => occurrence(agentsWoken, { generator_id, target, ...next }),
  });
}
