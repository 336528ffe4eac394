import type { Item } from '../../platform/database/database.ts';
import { findAgentRecord } from '../agents/agent-repository.ts';
import { retryOnConcurrentChange } from '../concurrent-change.ts';
import type { FleetPorts } from '../fleet-ports.ts';
import { fleetTable } from '../fleet-table.ts';
import { commitSelectionChange } from '../targeting/selection-change.ts';
import { targetRemoveWrites } from '../targeting/target-service.ts';
import type { FleetRemoval } from './fleet-removed.ts';

/** One transaction removes this many targets, two writes each: single transactions would wait for each other at the agent's record. */
const TARGETS_AT_ONCE = 40;

/** Removes the targets that an ended registration allowed. */
export async function clearTargets(
  ports: FleetPorts,
  removal: Extract<FleetRemoval, { kind: 'registration' }>,
  items: readonly Item[],
): Promise<void> {
  const theirs = items.filter((item) => item.registration_id === removal.registration_id);
  for (let from = 0; from < theirs.length; from += TARGETS_AT_ONCE) {
    const some = theirs.slice(from, from + TARGETS_AT_ONCE);
    await retryOnConcurrentChange(ports, 'targets', () => removeSome(ports, removal, some));
  }
}

/** The next try leaves out a target that is gone since it was read. */
async function removeSome(
  ports: FleetPorts,
  { agent_id: agentId, generator_id, by }: Extract<FleetRemoval, { kind: 'registration' }>,
  items: readonly Item[],
): Promise<void> {
  const keys = items.map(({ pk, sk }) => ({ pk, sk }));
  const [agent, present] = await Promise.all([findAgentRecord(ports.database, agentId), ports.database.batchGet(fleetTable.name, keys)]);
  const ids = new Set(items.map((item) => item.id));
  const theirs = present.filter((item) => ids.has(item.id));
  // If the agent was removed, its own clean-up removes the targets.
  if (!agent || theirs.length === 0) return;
  await commitSelectionChange(ports, {
    agentId,
    writes: theirs.flatMap(({ id, stack_id }) => targetRemoveWrites(agentId, String(stack_id), { equals: { id } })),
    revision: { add: { target_count: -theirs.length } },
    audit: {
      actor: by,
      action: 'agent.target_removed',
      resourceType: 'agent',
      resourceId: agentId,
      details: { generator_id, stack_ids: theirs.map(({ stack_id }) => stack_id) },
    },
  });
}
