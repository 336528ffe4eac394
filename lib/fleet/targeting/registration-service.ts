import type { Generator } from '../../identity/generator.ts';
import { findGenerator, generatorUnchanged } from '../../identity/generator-repository.ts';
import { decideFor } from '../../identity/principal.ts';
import { timestamp } from '../../platform/clock.ts';
import { newId } from '../../platform/ids.ts';
import { LIMITS } from '../agents/agent-rules.ts';
import { retryOnConcurrentChange } from '../concurrent-change.ts';
import { fleetError, foreignKeyViolation } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import { getGenerator } from '../generators/generator-service.ts';
import { announceRemoval, removedBy } from '../removal/fleet-removed.ts';
import { agentEdgeRemoveWrites, agentEdgeWrites } from './agent-edges.ts';
import { findRegistration, type Registration, registrationRemoveWrites, registrationWrites } from './registration-repository.ts';
import { type AgentSelectors, agentDeregisterWrite, agentRegisterWrite, findAgentSelectors } from './selection.ts';
import { commitSelectionChange, type SelectionChange } from './selection-change.ts';

/** An agent registers only itself; an admin must name the agent. */
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

export function registerAgent(ports: FleetPorts, caller: Caller, generatorId: string, named: string | undefined): Promise<Registration> {
  const agentId = agentOf(caller, named);
  return retryOnConcurrentChange(ports, 'agent', async () => {
    const [generator, known] = await Promise.all([findGenerator(ports.database, generatorId), findAgentSelectors(ports.database, agentId)]);
    if (!generator) throw fleetError('generator_not_found');
    checkAllowed(caller, generator, agentId);
    if (!known) throw unknownAgent();
    checkRoom(known, generatorId);
    const registration: Registration = {
      id: newId(),
      agent_id: agentId,
      generator_id: generatorId,
      registered_at: timestamp(ports.clock),
    };
    await commitSelectionChange(ports, {
      agentId,
      writes: [
        generatorUnchanged(generator),
        ...registrationWrites(registration, () => fleetError('already_registered')),
        agentRegisterWrite(agentId, known, registration),
        ...agentEdgeWrites(agentId, [generatorId], known.selectors),
      ],
      revision: { orElse: unknownAgent },
      audit: audited(caller, 'agent.registered', agentId, generatorId),
    });
    return registration;
  });
}

const unknownAgent = () => foreignKeyViolation('agent_generator_registrations_agent_id', 'agent_id: no such agent');

/** A race may exceed the limit by a few registrations. That does no harm: one transaction still holds a label's edges for all of them. */
function checkRoom({ generators }: AgentSelectors, generatorId: string): void {
  if (generators.length < LIMITS.registrations || generators.includes(generatorId)) return;
  throw fleetError('too_many', { message: `an agent is registered with at most ${LIMITS.registrations} generators` });
}

/** Ends the registration and removes the explicit targets that it allowed. Nothing happens if the agent wasn't registered. */
export async function deregisterAgent(ports: FleetPorts, caller: Caller, generatorId: string, named: string | undefined): Promise<void> {
  const agentId = agentOf(caller, named);
  if (generatorId === ports.installation.system_generator_id) throw fleetError('system_generator_not_a_tenant');
  await getGenerator(ports, generatorId);
  await endRegistration(ports, agentId, generatorId, ({ id }) => ({
    audit: audited(caller, 'agent.deregistered', agentId, generatorId),
    events: [
      announceRemoval({ kind: 'registration', agent_id: agentId, generator_id: generatorId, registration_id: id, by: removedBy(caller) }),
    ],
  }));
}

/** The registration ends at once, so that no target is made after it. */
export const endRegistration = (
  ports: FleetPorts,
  agentId: string,
  generatorId: string,
  accounted: (registration: Registration) => Pick<SelectionChange, 'audit' | 'events'>,
): Promise<void> =>
  retryOnConcurrentChange(ports, 'agent', async () => {
    const [known, registration] = await Promise.all([
      findAgentSelectors(ports.database, agentId),
      findRegistration(ports.database, agentId, generatorId),
    ]);
    // If the agent was removed, its own clean-up removes the registration.
    if (!known || !registration) return;
    await commitSelectionChange(ports, {
      agentId,
      writes: [
        ...registrationRemoveWrites(agentId, generatorId),
        agentDeregisterWrite(agentId, known, generatorId),
        ...agentEdgeRemoveWrites(agentId, [generatorId], known.selectors),
      ],
      ...accounted(registration),
    });
  });
