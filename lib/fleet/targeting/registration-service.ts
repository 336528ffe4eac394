import { findGenerator, generatorPresent } from '../../identity/generator-repository.ts';
import { timestamp } from '../../platform/clock.ts';
import { newId } from '../../platform/ids.ts';
import { findAgentRecord, moveRevisionWrite } from '../agents/agent-repository.ts';
import { LIMITS } from '../agents/agent-rules.ts';
import { againstNewest } from '../concurrent-change.ts';
import { fleetError, foreignKeyViolation } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import { findStacks } from '../stacks/stack-repository.ts';
import {
  findRegistration,
  listRegistrationsOfAgent,
  type Registration,
  registrationRemoveWrites,
  registrationWrites,
} from './registration-repository.ts';
import { listTargets, targetRemoveWrites } from './target-service.ts';

/** An agent's own id always wins over what its body says; an admin must name one. */
function agentOf({ principal }: Caller, named: string | undefined): string {
  if (principal.type === 'agent') return principal.id;
  if (principal.type === 'generator')
    throw fleetError('forbidden', { message: "registration is the agent's consent: a generator cannot give it" });
  if (named === undefined) throw fleetError('missing_agent_id');
  return named;
}

const audited = (actor: Caller, action: string, agentId: string, generatorId: string) => ({
  actor,
  action,
  resourceType: 'agent',
  resourceId: agentId,
  details: { generator_id: generatorId },
});

export async function register(at: FleetPorts, actor: Caller, generatorId: string, named: string | undefined): Promise<Registration> {
  const agentId = agentOf(actor, named);
  const noGenerator = () => fleetError('generator_not_found');
  if (!(await findGenerator(at.database, generatorId))) throw noGenerator();
  const unknown = () => foreignKeyViolation('agent_generator_registrations_agent_id', 'agent_id: no such agent');
  const [agent, others] = await Promise.all([findAgentRecord(at.database, agentId), listRegistrationsOfAgent(at.database, agentId)]);
  if (!agent) throw unknown();
  // Computing what an agent runs asks once for each of its generators and labels. A few more by a race do no harm.
  if (others.length >= LIMITS.registrations && !others.some((other) => other.generator_id === generatorId)) {
    throw fleetError('too_many', { message: `an agent is registered with at most ${LIMITS.registrations} generators` });
  }
  const registration: Registration = { id: newId(), agent_id: agentId, generator_id: generatorId, registered_at: timestamp(at.clock) };
  await at.commit({
    writes: [
      generatorPresent(generatorId, noGenerator),
      ...registrationWrites(registration, () => fleetError('already_registered')),
      moveRevisionWrite(agentId, { orElse: unknown }),
    ],
    audit: audited(actor, 'agent.registered', agentId, generatorId),
  });
  return registration;
}

/**
 * Takes the agent's explicit targets to this generator's stacks along; done where it wasn't registered at all. The registration goes
 * first, so that no target comes after it; whoever repeats this after a crash finds what is left.
 */
export async function deregister(at: FleetPorts, actor: Caller, generatorId: string, named: string | undefined): Promise<void> {
  const agentId = agentOf(actor, named);
  if (generatorId === at.installation.system_generator_id) throw fleetError('system_generator_not_a_tenant');
  await againstNewest(at, 'agent', async () => {
    const [agent, registration] = await Promise.all([
      findAgentRecord(at.database, agentId),
      findRegistration(at.database, agentId, generatorId),
    ]);
    if (!registration) return;
    await at.commit({
      writes: [...registrationRemoveWrites(agentId, generatorId), ...(agent ? [moveRevisionWrite(agentId)] : [])],
      audit: audited(actor, 'agent.deregistered', agentId, generatorId),
    });
  });
  await againstNewest(at, 'targets', () => removeTargets(at, actor, agentId, generatorId));
}

/** In bounded transactions; a target that is gone since it was listed counts once. */
async function removeTargets(at: FleetPorts, actor: Caller, agentId: string, generatorId: string): Promise<void> {
  const targets = await listTargets(at.database, agentId);
  const stacks = await findStacks(
    at.database,
    targets.map((target) => target.stack_id),
  );
  const theirs = stacks.filter((stack) => stack.generator_id === generatorId).map((stack) => stack.id);
  for (let from = 0; from < theirs.length; from += 40) {
    const some = theirs.slice(from, from + 40);
    await at.commit({
      writes: [
        ...some.flatMap((stackId) => targetRemoveWrites(agentId, stackId)).map((write) => ({ ...write, if: { exists: true } })),
        moveRevisionWrite(agentId, { add: { target_count: -some.length } }),
      ],
      audit: { ...audited(actor, 'agent.target_removed', agentId, generatorId), details: { generator_id: generatorId, stack_ids: some } },
    });
  }
}
