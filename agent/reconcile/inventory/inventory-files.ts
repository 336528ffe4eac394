import * as z from 'zod';
import type { Log } from '../../../lib/platform/log.ts';
import type { StateFiles } from '../../state/state-files.ts';
import { type Inventory, readInventory, writeInventory } from './inventory.ts';

/** What the cluster did not take: an inventory, or that a stack has none any more. */
export interface KeptInventory {
  stackId: string;
  revision: number;
  inventory: Inventory | undefined;
}

const FOLDER = 'inventories';
const Stored = z.object({
  agent_id: z.string(),
  stack_id: z.string(),
  revision: z.int(),
  inventory: z.object({ data: z.unknown(), binaryData: z.unknown() }).partial().nullable(),
});

/** The inventories that are on the agent's own disk as long as the cluster does not take them. */
export function createInventoryFiles(files: StateFiles, agentId: string, log: Log) {
  const name = (stackId: string) => `${FOLDER}/${stackId}`;
  return {
    /** Those of this agent that can be read. */
    async read(): Promise<KeptInventory[]> {
      const kept: KeptInventory[] = [];
      for (const stackId of await files.list(FOLDER)) {
        try {
          const { agent_id, stack_id, revision, inventory } = Stored.parse(JSON.parse((await files.read(name(stackId))) ?? ''));
          if (agent_id === agentId) kept.push({ stackId: stack_id, revision, inventory: inventory ? readInventory(inventory) : undefined });
        } catch (error) {
          log.warn('kept_inventory_unreadable', { stack_id: stackId, error });
        }
      }
      return kept;
    },
    async write({ stackId, revision, inventory }: KeptInventory): Promise<void> {
      const stored = { agent_id: agentId, stack_id: stackId, revision, inventory: inventory ? writeInventory(inventory) : null };
      await files.write(name(stackId), JSON.stringify(stored));
    },
    remove: (stackId: string) => files.remove(name(stackId)),
  };
}
