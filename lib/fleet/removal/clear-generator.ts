import type { Item } from '../../platform/database/database.ts';
import type { FleetPorts } from '../fleet-ports.ts';
import { removeOrphanedStack } from '../stacks/stack-service.ts';
import { endRegistration } from '../targeting/registration-service.ts';
import { removeOrphanedTemplate } from '../templates/template-service.ts';
import type { FleetRemoval } from './fleet-removed.ts';

/**
 * Removes one stack or registration of a removed generator. No new one appears after the removal: stacks and registrations are created,
 * and stacks renamed, on the condition that the generator exists.
 */
export async function clearGeneratorItem(
  ports: FleetPorts,
  { generator_id, by }: Extract<FleetRemoval, { kind: 'generator' }>,
  item: Item,
): Promise<void> {
  switch (item.type) {
    case 'stack-name':
      return removeOrphanedStack(ports, by, String(item.id));
    case 'template-ref':
      return removeOrphanedTemplate(ports, by, String(item.id));
    case 'registered-agent':
      // The targets that the registration allowed are removed with the generator's stacks.
      return endRegistration(ports, String(item.agent_id), generator_id, () => ({
        audit: { unaudited: "follows from the generator's deletion" },
      }));
  }
}
