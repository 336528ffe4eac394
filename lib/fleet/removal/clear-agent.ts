import type { Database, Item, Key } from '../../platform/database/database.ts';
import { agentMatchKey, fleetTable, generatorAgentKey, type Selector, stackReporterKey, stackTargetKey } from '../fleet-table.ts';
import type { FleetRemoval } from './fleet-removed.ts';

const table = fleetTable.name;

/** Removes one item of a removed agent's partition, after the edges that lead to the agent. */
export async function clearAgentItem(
  database: Database,
  { agent_id: agentId, generator_ids }: Extract<FleetRemoval, { kind: 'agent' }>,
  item: Item,
): Promise<void> {
  const edgesOf = (selector: Selector) => generator_ids.map((generatorId) => agentMatchKey(generatorId, selector, agentId));
  const remove = (keys: readonly Key[]) => Promise.all(keys.map(({ pk, sk }) => database.write({ table, delete: { pk, sk } })));
  await remove(inverseOf(item, agentId, edgesOf));
  await remove([item]);
}

function inverseOf(item: Item, agentId: string, edgesOf: (selector: Selector) => Key[]): Key[] {
  switch (item.type) {
    case 'agent-label':
      return edgesOf({ label: String(item.label) });
    case 'agent-annotation':
      return edgesOf({ key: String(item.key), value: String(item.value) });
    case 'registration':
      return [generatorAgentKey(String(item.generator_id), agentId)];
    case 'target':
      return [stackTargetKey(String(item.stack_id), agentId)];
    case 'result':
      return [stackReporterKey(String(item.stack_id), agentId)];
    default:
      return [];
  }
}
