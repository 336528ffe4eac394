import type { Database } from '../../platform/database/database.ts';
import { runsStack } from './matching.ts';
import { findTold } from './told.ts';

/**
 * Tells whether the agent was told to run this deployment object: the agent was told of it or of a later one of the stack, or runs the
 * stack now. It costs four units.
 */
export async function wasToldToRun(
  database: Database,
  agentId: string,
  deploymentObject: { stack_id: string; sequence_id: number },
): Promise<boolean> {
  const { stack_id: stackId, sequence_id: sequence } = deploymentObject;
  const told = (await findTold(database, agentId, [stackId])).get(stackId);
  if (told && sequence <= told.head.sequence) return true;
  return runsStack(database, agentId, { id: stackId });
}
