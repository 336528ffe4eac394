import { ConditionFailed, type Database } from '../../../platform/database/database.ts';
import { newToken } from '../../../platform/ids.ts';
import { agentKey, fleetTable } from '../../fleet-table.ts';

/**
 * Makes an agent look for orders: the token in its record changes, which the agent's next poll answers as a header. The poll reads the record
 * anyway, so an idle agent costs nothing more. One write.
 */
export async function nudgeAgent(database: Database, agentId: string): Promise<void> {
  try {
    await database.write({ table: fleetTable.name, update: agentKey(agentId), set: { orders_rev: newToken() }, if: { exists: true } });
  } catch (error) {
    // The agent is gone.
    if (!(error instanceof ConditionFailed)) throw error;
  }
}
