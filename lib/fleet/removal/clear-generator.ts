import type { Item } from '../../platform/database/database.ts';
import type { FleetPorts } from '../fleet-ports.ts';
import { fleetTable } from '../fleet-table.ts';
import { removeOrphanedStack } from '../stacks/stack-service.ts';
import { endRegistration } from '../targeting/registration-service.ts';
import { removeOrphanedTemplate } from '../templates/remove-template.ts';
import type { FleetRemoval } from './fleet-removed.ts';

/**
 * Removes one stack, template or registration of a removed generator. No new one appears after the removal: all are created, and stacks
 * renamed, on the condition that the generator exists.
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
    case 'template-name':
      return ports.commit({
        writes: [{ table: fleetTable.name, delete: { pk: item.pk, sk: item.sk } }],
        audit: { unaudited: "follows from the generator's deletion" },
      });
    case 'registered-agent':
      // The targets that the registration allowed are removed with the generator's stacks.
      return endRegistration(ports, String(item.agent_id), generator_id, () => ({
        audit: { unaudited: "follows from the generator's deletion" },
      }));
  }
}
