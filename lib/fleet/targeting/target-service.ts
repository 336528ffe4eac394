import * as z from 'zod';
import { decideFor } from '../../identity/principal.ts';
import { type Condition, ConditionFailed, type Database, queryAll, type Write } from '../../platform/database/database.ts';
import { newId } from '../../platform/ids.ts';
import { findAgentRecord } from '../agents/agent-repository.ts';
import { LIMITS } from '../agents/agent-rules.ts';
import { fleetError, uniqueViolation } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import { agentKey, agentPk, agentRegistrationKey, agentTargetKey, fleetTable, stackKey, stackTargetKey } from '../fleet-table.ts';
import { getStack } from '../stacks/stack-service.ts';
import { findRegistration, type Registration } from './registration-repository.ts';
import { commitSelectionChange } from './selection-change.ts';

const table = fleetTable.name;

/** An explicit link from an agent to a stack: the agent runs the stack. */
export const AgentTarget = z.object({ id: z.uuid(), agent_id: z.uuid(), stack_id: z.uuid() }).meta({ id: 'AgentTarget' });
export type AgentTarget = z.infer<typeof AgentTarget>;

/** An unknown or removed agent has no targets. */
export async function listTargets({ database }: FleetPorts, agentId: string): Promise<AgentTarget[]> {
  const prefix = agentTargetKey('', '').sk;
  const [agent, items] = await Promise.all([
    findAgentRecord(database, agentId),
    queryAll(database, table, { pk: agentPk(agentId), prefix, limit: LIMITS.targets }),
  ]);
  return agent ? items.map((item) => AgentTarget.parse(item)) : [];
}

/** The stack's owner and admins may target agents that are registered with the stack's generator. The contract fixes the order of checks. */
async function checkTarget(ports: FleetPorts, caller: Caller, agentId: string, stackId: string): Promise<Registration> {
  const stack = await getStack(ports, stackId);
  decideFor(caller.principal, {
    admin: () => {},
    agent: () => {
      throw fleetError('target_create_denied');
    },
    generator: ({ id }) => {
      if (id !== stack.generator_id) throw fleetError('target_generator_mismatch');
    },
  });
  const [registration, agent] = await Promise.all([
    findRegistration(ports.database, agentId, stack.generator_id),
    findAgentRecord(ports.database, agentId),
  ]);
  // An agent that is gone counts as not registered.
  if (!registration || !agent) throw fleetError('agent_not_registered');
  return registration;
}

/** A target is removed with the registration that allowed it, even if the agent registers again before that. */
export async function addTarget(
  ports: FleetPorts,
  caller: Caller,
  pathAgentId: string,
  input: { agent_id: string; stack_id: string },
): Promise<AgentTarget> {
  const { stack_id: stackId } = input;
  const registration = await checkTarget(ports, caller, pathAgentId, stackId);
  if (input.agent_id !== pathAgentId) throw fleetError('agent_id_mismatch');
  const target: AgentTarget = { id: newId(), agent_id: pathAgentId, stack_id: stackId };
  const stored = { ...target, registration_id: registration.id };
  const taken = () => uniqueViolation('agent_targets_agent_id_stack_id', 'the agent has this target already');
  const full = () => fleetError('too_many', { message: `an agent has at most ${LIMITS.targets} targets` });
  await commitSelectionChange(ports, {
    agentId: pathAgentId,
    writes: [
      // The stack or the registration may be gone since it was read.
      { table, check: stackKey(stackId), if: { exists: true }, orElse: () => fleetError('stack_not_found') },
      {
        table,
        check: agentRegistrationKey(pathAgentId, registration.generator_id),
        if: { equals: { id: registration.id } },
        orElse: () => fleetError('agent_not_registered'),
      },
      { table, put: { ...agentTargetKey(pathAgentId, stackId), type: 'target', ...stored }, if: { exists: false }, orElse: taken },
      { table, put: { ...stackTargetKey(stackId, pathAgentId), type: 'targeted-by', ...stored } },
    ],
    revision: { stackId, add: { target_count: 1 }, below: { target_count: LIMITS.targets }, orElse: full },
    audit: {
      actor: caller,
      action: 'agent.target_added',
      resourceType: 'agent',
      resourceId: pathAgentId,
      details: { stack_id: stackId },
    },
  });
  return target;
}

/** Removes both edges of a target. Fails if the target is gone already, so that the agent's count stays right. */
export const targetRemoveWrites = (agentId: string, stackId: string, condition: Condition = { exists: true }): Write[] => [
  { table, delete: agentTargetKey(agentId, stackId), if: condition },
  { table, delete: stackTargetKey(stackId, agentId) },
];

/** Removes a target whose stack is gone, once the agent is notified. May be repeated. */
export async function dropTarget(database: Database, agentId: string, stackId: string): Promise<void> {
  try {
    await database.transact([
      ...targetRemoveWrites(agentId, stackId),
      { table, update: agentKey(agentId), add: { target_count: -1 }, if: { exists: true } },
    ]);
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
    // The target is removed already, or the agent is gone and its clean-up removes its own edge.
    await database.write({ table, delete: stackTargetKey(stackId, agentId) });
  }
}

export async function removeTarget(ports: FleetPorts, caller: Caller, agentId: string, stackId: string): Promise<void> {
  await checkTarget(ports, caller, agentId, stackId);
  try {
    await commitSelectionChange(ports, {
      agentId,
      writes: targetRemoveWrites(agentId, stackId),
      revision: { stackId, add: { target_count: -1 } },
      audit: { actor: caller, action: 'agent.target_removed', resourceType: 'agent', resourceId: agentId, details: { stack_id: stackId } },
    });
  } catch (error) {
    throw error instanceof ConditionFailed ? fleetError('agent_target_not_found') : error;
  }
}
