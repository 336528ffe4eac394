import { timestamp } from '../../../platform/clock.ts';
import { ConditionFailed } from '../../../platform/database/database.ts';
import { expiresAt } from '../../../platform/database/table.ts';
import type { FleetPorts } from '../../fleet-ports.ts';
import type { ChildrenSum } from '../../protocol/work-order-protocol.ts';
import { logWrites } from '../work-order-log.ts';
import { findOrder, orderBodyExpireWrites, orderRemoveWrites } from '../work-order-repository.ts';
import { readSum, sumRemoveWrites } from './children.ts';

/**
 * Ends an order for all agents when its last child has ended: its home and its counters go and its log entry comes, in one transaction. Once
 * all children are made the counters only rise towards `total`, so that the last of them is seen whatever the order of the reads.
 */
export async function finishParent(ports: FleetPorts, parentId: string): Promise<void> {
  const { database, clock, commit, eventRetentionDays } = ports;
  const [parent, sum] = await Promise.all([findOrder(database, parentId), readSum(database, parentId)]);
  if (!parent || !sum?.allMade || sum.children.open > 0) return;
  const { children } = sum;
  const { id, work_type, created_at, generator_id, body_chunks } = parent;
  const entry = {
    id,
    work_type,
    created_at,
    claimed_at: null,
    completed_at: timestamp(clock),
    claimed_by: null,
    success: children.total > 0 && children.completed === children.total,
    retries_attempted: 0,
    result_message: messageOf(children),
    generator_id,
    token: null,
    body_chunks,
    children,
  };
  const expires_at = expiresAt(clock.nowMs(), eventRetentionDays);
  try {
    await commit({
      writes: [
        ...orderRemoveWrites(parent),
        ...sumRemoveWrites(id),
        ...orderBodyExpireWrites(parent, expires_at),
        ...logWrites(entry, expires_at),
      ],
      audit: { unaudited: 'follows from the end of its children' },
    });
  } catch (error) {
    // Cancelled, or ended by another message.
    if (!(error instanceof ConditionFailed)) throw error;
  }
}

const messageOf = ({ total, completed, failed, cancelled }: ChildrenSum): string =>
  total === 0 ? 'no agent matches the targeting' : `${completed} of ${total} completed, ${failed} failed, ${cancelled} cancelled`;
