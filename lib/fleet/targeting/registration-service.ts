import type { Generator } from '../../identity/generator.ts';
import { findGenerator, generatorUnchanged } from '../../identity/generator-repository.ts';
import { decideFor } from '../../identity/principal.ts';
import { timestamp } from '../../platform/clock.ts';
import { newId } from '../../platform/ids.ts';
import { findAgentRecord, moveRevisionWrite } from '../agents/agent-repository.ts';
import { LIMITS } from '../agents/agent-rules.ts';
import { retryOnConcurrentChange } from '../concurrent-change.ts';
import { fleetError, foreignKeyViolation } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import { getGenerator } from '../generators/generator-service.ts';
import { findStacks } from '../stacks/stack-repository.ts';
import {
  findRegistration,
  listRegistrationsOfAgent,
  type Registration,
  registrationRemoveWrites,
  registrationWrites,
} from './registration-repository.ts';
import { agentRegisterWrite } from './selection.ts';
import { listTargets, targetRemoveWrites } from './target-service.ts';

/** An agent speaks for itself alone; an admin must name the agent. */
function agentOf({ principal }: Caller, named: string | undefined): string {
  return decideFor(principal, {
    admin: () => {
      if (named === undefined) throw fleetError('missing_agent_id');
      return named;
    },
    agent: ({ id }) => {
      if (named === undefined || named === id) return id;
      throw fleetError('agent_pak_mismatch', { message: 'agent_id: an agent registers or deregisters nobody but itself' });
    },
    generator: () => {
      throw fleetError('forbidden', { message: "registration is the agent's consent: a generator can't give or end it" });
    },
  });
}

/** A generator may say which agents may register themselves. An admin decides for both sides. */
function checkAllowed({ principal }: Caller, { allowed_agent_ids }: Generator, agentId: string): void {
  const isAllowed = decideFor(principal, {
    admin: () => true,
    agent: () => allowed_agent_ids === null || allowed_agent_ids.includes(agentId),
    generator: () => false,
  });
  if (isAllowed) return;
  throw fleetError('registration_not_allowed', {
    message:
      'the generator does not allow this agent to register itself: add the agent to its allowed_agent_ids, or register it as an admin',
  });
}

const audited = (caller: Caller, action: string, agentId: string, generatorId: string) => ({
  actor: caller,
  action,
  resourceType: 'agent',
  resourceId: agentId,
  details: { generator_id: generatorId },
});

export function register(ports: FleetPorts, caller: Caller, generatorId: string, named: string | undefined): Promise<Registration> {
  const agentId = agentOf(caller, named);
  return retryOnConcurrentChange(ports, 'generator', async () => {
    const generator = await findGenerator(ports.database, generatorId);
    if (!generator) throw fleetError('generator_not_found');
    checkAllowed(caller, generator, agentId);
    await checkAgent(ports, agentId, generatorId);
    const registration: Registration = {
      id: newId(),
      agent_id: agentId,
      generator_id: generatorId,
      registered_at: timestamp(ports.clock),
    };
    await ports.commit({
      writes: [
        generatorUnchanged(generator),
        ...registrationWrites(registration, () => fleetError('already_registered')),
        agentRegisterWrite(agentId, [generatorId]),
        moveRevisionWrite(agentId, { orElse: unknownAgent }),
      ],
      audit: audited(caller, 'agent.registered', agentId, generatorId),
    });
    return registration;
  });
}

const unknownAgent = () => foreignKeyViolation('agent_generator_registrations_agent_id', 'agent_id: no such agent');

/** Computing what an agent runs asks once for each of its generators and labels. A few more by a race do no harm. */
async function checkAgent({ database }: FleetPorts, agentId: string, generatorId: string): Promise<void> {
  const [agent, others] = await Promise.all([findAgentRecord(database, agentId), listRegistrationsOfAgent(database, agentId)]);
  if (!agent) throw unknownAgent();
  if (others.length < LIMITS.registrations || others.some((other) => other.generator_id === generatorId)) return;
  throw fleetError('too_many', { message: `an agent is registered with at most ${LIMITS.registrations} generators` });
}

/**
 * Takes the agent's explicit targets to this generator's stacks along; done where it wasn't registered at all. The registration goes
 * first, so that no target comes after it; whoever repeats this after a crash finds what is left.
 */
export async function deregister(ports: FleetPorts, caller: Caller, generatorId: string, named: string | undefined): Promise<void> {
  const agentId = agentOf(caller, named);
  if (generatorId === ports.installation.system_generator_id) throw fleetError('system_generator_not_a_tenant');
  await getGenerator(ports, generatorId);
  await retryOnConcurrentChange(ports, 'agent', async () => {
    const [agent, registration] = await Promise.all([
      findAgentRecord(ports.database, agentId),
      findRegistration(ports.database, agentId, generatorId),
    ]);
    if (!registration) return;
    await ports.commit({
      writes: [...registrationRemoveWrites(agentId, generatorId), ...(agent ? [moveRevisionWrite(agentId)] : [])],
      audit: audited(caller, 'agent.deregistered', agentId, generatorId),
    });
  });
  await retryOnConcurrentChange(ports, 'targets', () => removeTargets(ports, caller, agentId, generatorId));
}

/** In bounded transactions; a target that is gone since it was listed counts once. */
async function removeTargets(ports: FleetPorts, caller: Caller, agentId: string, generatorId: string): Promise<void> {
  const [agent, targets] = await Promise.all([findAgentRecord(ports.database, agentId), listTargets(ports.database, agentId)]);
  const stacks = await findStacks(
    ports.database,
    targets.map((target) => target.stack_id),
  );
  const theirs = stacks.filter((stack) => stack.generator_id === generatorId).map((stack) => stack.id);
  for (let from = 0; from < theirs.length; from += 40) {
    const some = theirs.slice(from, from + 40);
    await ports.commit({
      writes: [
        ...some.flatMap((stackId) => targetRemoveWrites(agentId, stackId)).map((write) => ({ ...write, if: { exists: true } })),
        ...(agent ? [moveRevisionWrite(agentId, { add: { target_count: -some.length } })] : []),
      ],
      audit: { ...audited(caller, 'agent.target_removed', agentId, generatorId), details: { generator_id: generatorId, stack_ids: some } },
    });
  }
}
