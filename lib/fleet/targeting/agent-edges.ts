import type { Key, Write } from '../../platform/database/database.ts';
import { agentMatchKey, fleetTable, type Selector } from '../fleet-table.ts';

/**
 * An agent edge leads from a generator's label or annotation to an agent that has it and is registered with the generator. Edges name the
 * agents to notify, so they change in the same transaction as the label, the annotation or the registration.
 */
const table = fleetTable.name;

const keys = (agentId: string, generatorIds: readonly string[], selectors: readonly Selector[]): Key[] =>
  generatorIds.flatMap((generatorId) => selectors.map((selector) => agentMatchKey(generatorId, selector, agentId)));

export const agentEdgeWrites = (...edges: Parameters<typeof keys>): Write[] =>
  keys(...edges).map((key) => ({ table, put: { ...key, type: 'agent-match' } }));
export const agentEdgeRemoveWrites = (...edges: Parameters<typeof keys>): Write[] => keys(...edges).map((key) => ({ table, delete: key }));
