import type { AuditEntry } from '../../identity/audit.ts';
import { findKeyHash, grantWrites, revokeWrites, rotateWrites } from '../../identity/credentials.ts';
import type { Generator } from '../../identity/generator.ts';
import {
  findGenerator,
  generatorNewWrites,
  generatorRemoveWrites,
  generatorUpdateWrites,
  type StoredGenerator,
} from '../../identity/generator-repository.ts';
import { mintPak } from '../../identity/pak.ts';
import { decideFor } from '../../identity/principal.ts';
import { timestamp } from '../../platform/clock.ts';
import { newId } from '../../platform/ids.ts';
import type { ListPage, PageRequest } from '../../platform/list-page.ts';
import { checkText } from '../checked-text.ts';
import { retryOnConcurrentChange } from '../concurrent-change.ts';
import { fleetError, uniqueViolation } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import { announceRemoval, removedBy } from '../removal/fleet-removed.ts';
import { listRegistrationsOfGenerator } from '../targeting/registration-lists.ts';
import type { Registration } from '../targeting/registration-repository.ts';

const nameTaken = () => uniqueViolation('generators_name', 'a generator of this name exists');
const audited = (
  caller: Caller,
  action: string,
  generator: Generator,
  details: Record<string, unknown> = { name: generator.name },
): AuditEntry => ({ actor: caller, action, resourceType: 'generator', resourceId: generator.id, details });
const keyCreated = (caller: Caller, generator: Generator): AuditEntry => ({
  ...audited(caller, 'pak.created', generator, { entity: 'generator', name: generator.name }),
  resourceType: 'pak',
});

export async function getGenerator({ database }: FleetPorts, id: string): Promise<StoredGenerator> {
  const generator = await findGenerator(database, id);
  if (!generator) throw fleetError('generator_not_found');
  return generator;
}

/** A member that is absent stays as it is. Null clears the description; null for `allowed_agent_ids` allows every agent. */
export interface GeneratorInput {
  name: string;
  description?: string | null | undefined;
  allowed_agent_ids?: readonly string[] | null | undefined;
}

export async function createGenerator(
  ports: FleetPorts,
  caller: Caller,
  { name, description = null, allowed_agent_ids = null }: GeneratorInput,
): Promise<{ generator: Generator; pak: string }> {
  checkText('invalid_generator', name, description);
  const now = timestamp(ports.clock);
  const generator: Generator = {
    id: newId(),
    created_at: now,
    updated_at: now,
    deleted_at: null,
    name,
    description,
    last_active_at: null,
    is_active: true,
    is_system: false,
    allowed_agent_ids: allowed_agent_ids && [...new Set(allowed_agent_ids)],
  };
  const { pak, hash } = mintPak();
  await ports.commit({
    writes: [
      ...generatorNewWrites(generator, nameTaken),
      ...grantWrites({ principal_type: 'generator', principal_id: generator.id, credential_version: 1 }, hash),
    ],
    audit: [audited(caller, 'generator.created', generator), keyCreated(caller, generator)],
  });
  return { generator, pak };
}

/**
 * Only an admin renames, because names are unique among all tenants and a refusal would tell one tenant the name of another. Callers
 * can't change the other members of a Generator.
 */
export const updateGenerator = (ports: FleetPorts, caller: Caller, id: string, change: GeneratorInput): Promise<Generator> =>
  retryOnConcurrentChange(ports, 'generator', async () => {
    const before = await getGenerator(ports, id);
    if (before.is_system) throw fleetError('system_generator_not_a_tenant');
    const { name, description = before.description, allowed_agent_ids = before.allowed_agent_ids } = change;
    if (name !== before.name && !isAdmin(caller)) {
      throw fleetError('admin_required', { message: 'name: only an admin may rename a generator; send its present name' });
    }
    checkText('invalid_generator', name, description);
    const after: Generator = {
      ...before,
      name,
      description,
      allowed_agent_ids: allowed_agent_ids && [...new Set(allowed_agent_ids)],
      updated_at: timestamp(ports.clock),
    };
    await ports.commit({ writes: generatorUpdateWrites(before, after, nameTaken), audit: audited(caller, 'generator.updated', after) });
    return after;
  });

/** Removes the generator and its key at once; a consumer removes its stacks, registrations and work orders. The installation's own generators stay. */
export async function removeGenerator(ports: FleetPorts, caller: Caller, id: string): Promise<void> {
  await retryOnConcurrentChange(ports, 'generator', async () => {
    const before = await getGenerator(ports, id);
    if (before.is_system || id === ports.installation.admin_generator_id) throw fleetError('cannot_delete_system_generator');
    const hash = await findKeyHash(ports.database, id);
    await ports.commit({
      writes: [...generatorRemoveWrites(before), ...(hash === undefined ? [] : revokeWrites(id, hash))],
      audit: audited(caller, 'generator.deleted', before),
      events: [
        announceRemoval({ kind: 'generator', generator_id: id, by: removedBy(caller) }),
        announceRemoval({ kind: 'generator-orders', generator_id: id }),
      ],
    });
  });
  ports.forgetKey(id);
}

const isAdmin = ({ principal }: Caller) => decideFor(principal, { admin: () => true, agent: () => false, generator: () => false });

/** Makes a new key. This process refuses the old key from now on, other processes within five seconds. */
export async function rotateGeneratorPak(ports: FleetPorts, caller: Caller, id: string): Promise<{ generator: Generator; pak: string }> {
  const rotated = await retryOnConcurrentChange(ports, 'key', async () => {
    const [generator, old] = await Promise.all([getGenerator(ports, id), findKeyHash(ports.database, id)]);
    if (generator.is_system) throw fleetError('system_generator_not_a_tenant');
    const { pak, hash } = mintPak();
    const credential = { principal_type: 'generator' as const, principal_id: id, credential_version: 1 };
    const writes = old === undefined ? grantWrites(credential, hash) : rotateWrites(credential, old, hash);
    await ports.commit({ writes, audit: audited(caller, 'pak.rotated', generator, { generator_name: generator.name }) });
    return { generator, pak };
  });
  ports.forgetKey(id);
  return rotated;
}

export async function listRegisteredAgents(ports: FleetPorts, id: string, page: PageRequest): Promise<ListPage<Registration>> {
  await getGenerator(ports, id);
  return listRegistrationsOfGenerator(ports.database, id, page);
}
