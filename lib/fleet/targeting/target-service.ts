import * as z from 'zod';
import { decideFor } from '../../identity/principal.ts';
import { ConditionFailed, type Database, queryAll, type Write } from '../../platform/database/database.ts';
import { newId } from '../../platform/ids.ts';
import { moveRevisionWrite } from '../agents/agent-repository.ts';
import { LIMITS } from '../agents/agent-rules.ts';
import { fleetError, uniqueViolation } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import { agentKey, agentPk, agentRegistrationKey, agentTargetKey, fleetTable, stackKey, stackTargetKey } from '../fleet-table.ts';
import type { Stack } from '../stacks/stack.ts';
import { getStack } from '../stacks/stack-service.ts';
import { findRegistration } from './registration-repository.ts';

const table = fleetTable.name;

/** An explicit link: this agent runs this stack. */
export const AgentTarget = z.object({ id: z.uuid(), agent_id: z.uuid(), stack_id: z.uuid() }).meta({ id: 'AgentTarget' });
export type AgentTarget = z.infer<typeof AgentTarget>;

export async function listTargets(database: Database, agentId: string): Promise<AgentTarget[]> {
  const items = await queryAll(database, table, { pk: agentPk(agentId), prefix: agentTargetKey('', '').sk, limit: LIMITS.targets });
  return items.map((item) => AgentTarget.parse(item));
}

/** The stack's owner (or an admin), for an agent registered with the stack's generator. The order of checks is the contract's. */
async function checkTarget(at: FleetPorts, caller: Caller, agentId: string, stackId: string): Promise<Stack> {
  const stack = await getStack(at, stackId);
  decideFor(caller.principal, {
    admin: () => {},
    agent: () => {
      throw fleetError('target_create_denied');
    },
    generator: ({ id }) => {
      if (id !== stack.generator_id) throw fleetError('target_generator_mismatch');
    },
  });
  if (!(await findRegistration(at.database, agentId, stack.generator_id))) throw fleetError('agent_not_registered');
  return stack;
}

export async function addTarget(
  at: FleetPorts,
  actor: Caller,
  pathAgentId: string,
  input: { agent_id: string; stack_id: string },
): Promise<AgentTarget> {
  const stack = await checkTarget(at, actor, pathAgentId, input.stack_id);
  if (input.agent_id !== pathAgentId) throw fleetError('agent_id_mismatch');
  const target: AgentTarget = { id: newId(), agent_id: pathAgentId, stack_id: input.stack_id };
  const taken = () => uniqueViolation('agent_targets_agent_id_stack_id', 'the agent has this target already');
  const change = {
    writes: [
      // Both may have gone since they were read.
      { table, check: stackKey(stack.id), if: { exists: true }, orElse: () => fleetError('stack_not_found') },
      {
        table,
        check: agentRegistrationKey(pathAgentId, stack.generator_id),
        if: { exists: true },
        orElse: () => fleetError('agent_not_registered'),
      },
      { table, put: { ...agentTargetKey(pathAgentId, input.stack_id), type: 'target', ...target }, if: { exists: false }, orElse: taken },
      { table, put: { ...stackTargetKey(input.stack_id, pathAgentId), type: 'targeted-by', ...target } },
      moveRevisionWrite(pathAgentId, {
        stackId: stack.id,
        add: { target_count: 1 },
        below: { target_count: LIMITS.targets },
      }),
    ],
    audit: { actor, action: 'agent.target_added', resourceType: 'agent', resourceId: pathAgentId, details: { stack_id: input.stack_id } },
  };
  try {
    await at.commit(change);
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
    // An agent that is gone is registered with nobody.
    if (!(await at.database.get(table, agentKey(pathAgentId)))) throw fleetError('agent_not_registered');
    throw fleetError('too_many', { message: `an agent has at most ${LIMITS.targets} targets` });
  }
  return target;
}

/** The edges of one target, both ways. */
export const targetRemoveWrites = (agentId: string, stackId: string): Write[] => [
  { table, delete: agentTargetKey(agentId, stackId) },
  { table, delete: stackTargetKey(stackId, agentId) },
];

/** Removes a target whose stack is gone: once, however often it is repeated, so that the agent's count stays true. */
export async function dropTarget(database: Database, agentId: string, stackId: string): Promise<void> {
  const [own, inverse] = [agentTargetKey(agentId, stackId), stackTargetKey(stackId, agentId)];
  try {
    await database.transact([
      { table, delete: own, if: { exists: true } },
      { table, delete: inverse },
      { table, update: agentKey(agentId), add: { target_count: -1 }, if: { exists: true } },
    ]);
  } catch (error) {
    // Removed already, or the agent is gone: what is left of it counts for nobody.
    if (!(error instanceof ConditionFailed)) throw error;
    await Promise.all(targetRemoveWrites(agentId, stackId).map((write) => database.write(write)));
  }
}

export async function removeTarget(at: FleetPorts, actor: Caller, agentId: string, stackId: string): Promise<void> {
  await checkTarget(at, actor, agentId, stackId);
  try {
    await at.commit({
      writes: [
        { table, delete: agentTargetKey(agentId, stackId), if: { exists: true } },
        { table, delete: stackTargetKey(stackId, agentId) },
        moveRevisionWrite(agentId, { stackId, add: { target_count: -1 } }),
      ],
      audit: { actor, action: 'agent.target_removed', resourceType: 'agent', resourceId: agentId, details: { stack_id: stackId } },
    });
  } catch (error) {
    throw error instanceof ConditionFailed ? fleetError('agent_target_not_found') : error;
  }
}
