import type { Item } from '../../platform/database/database.ts';
import type { FleetPorts } from '../fleet-ports.ts';
import { removeOrphanedStack } from '../stacks/stack-service.ts';
import { endRegistration } from '../targeting/registration-service.ts';
import type { FleetRemoval } from './fleet-removed.ts';

/**
 * One item of a removed generator's partition: a stack or a registration. No other comes after the generator's removal: stacks and
 * registrations are made, and stacks renamed, only on the condition that the generator is there.
 */
export async function clearGeneratorItem(
  ports: FleetPorts,
  { generator_id, by }: Extract<FleetRemoval, { kind: 'generator' }>,
  item: Item,
): Promise<void> {
  switch (item.type) {
    case 'stack-name':
      return removeOrphanedStack(ports, by, String(item.id));
    case 'registered-agent':
      // Its targets go with the stacks.
      return endRegistration(ports, String(item.agent_id), generator_id, () => ({
        audit: { unaudited: "follows from the generator's deletion" },
      }));
  }
}
