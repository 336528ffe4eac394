import type { Database } from '../../platform/database/database.ts';
import { runsStack } from './matching.ts';
import { findTold } from './told.ts';

/**
 * Whether the agent was told to run this deployment object: it runs the stack, or what it was told last of a stack that was withdrawn
 * or removed since is this object or a later one. Four units.
 */
export async function wasToldToRun(
  database: Database,
  agentId: string,
  object: { stack_id: string; sequence_id: number },
): Promise<boolean> {
  const { stack_id: stackId, sequence_id: sequence } = object;
  const told = (await findTold(database, agentId, [stackId])).get(stackId);
  if (told && sequence <= told.head.sequence) return true;
  return runsStack(database, agentId, { id: stackId });
}
