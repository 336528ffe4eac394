import type { AuditEntry } from '../../identity/audit.ts';
import { findKeyHash, grantWrites, revokeWrites, rotateWrites } from '../../identity/credentials.ts';
import type { Generator } from '../../identity/generator.ts';
import {
  findGenerator,
  generatorNewWrites,
  generatorRemoveWrites,
  generatorUpdateWrites,
  listGenerators,
  type StoredGenerator,
} from '../../identity/generator-repository.ts';
import { mintPak } from '../../identity/pak.ts';
import { timestamp } from '../../platform/clock.ts';
import { occurrence } from '../../platform/events/domain-event.ts';
import { newId } from '../../platform/ids.ts';
import { Description, Name } from '../../platform/names.ts';
import { againstNewest } from '../concurrent-change.ts';
import { fleetError, uniqueViolation } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import { fleetChanged } from '../targeting/fleet-changed.ts';
import { listRegistrationsWith, type Registration } from '../targeting/registration-repository.ts';

const nameTaken = () => uniqueViolation('generators_name', 'a generator of this name exists');
const audited = (actor: Caller, action: string, generator: Generator): AuditEntry => ({
  actor,
  action,
  resourceType: action.startsWith('pak.') ? 'pak' : 'generator',
  resourceId: generator.id,
  details: { name: generator.name },
});

function checkText(name: string, description: string | null): void {
  for (const [field, schema, value] of [['name', Name, name] as const, ['description', Description.nullable(), description] as const]) {
    const result = schema.safeParse(value);
    if (result.success) continue;
    const rule = result.error.issues[0]?.message ?? 'is invalid';
    throw fleetError('invalid_generator', { message: `${field} ${rule}`, details: { field, rule } });
  }
}

export async function getGenerator({ database }: FleetPorts, id: string): Promise<StoredGenerator> {
  const generator = await findGenerator(database, id);
  if (!generator) throw fleetError('generator_not_found');
  return generator;
}

/** All but the system's. */
export const listTenants = async ({ database }: FleetPorts): Promise<Generator[]> =>
  (await listGenerators(database)).filter((generator) => !generator.is_system);

export async function createGenerator(
  at: FleetPorts,
  actor: Caller,
  { name, description = null }: { name: string; description?: string | null | undefined },
): Promise<{ generator: Generator; pak: string }> {
  checkText(name, description);
  const now = timestamp(at.clock);
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
  };
  const { pak, hash } = mintPak();
  await at.commit({
    writes: [
      ...generatorNewWrites(generator, nameTaken),
      ...grantWrites({ principal_type: 'generator', principal_id: generator.id, credential_version: 1 }, hash),
    ],
    audit: [audited(actor, 'generator.created', generator), audited(actor, 'pak.created', generator)],
  });
  return { generator, pak };
}

/** Renames or describes; a description of null clears it. What else a whole Generator says is not its callers' to change. */
export const updateGenerator = (
  at: FleetPorts,
  actor: Caller,
  id: string,
  change: { name: string; description?: string | null | undefined },
): Promise<Generator> =>
  againstNewest(at, 'generator', async () => {
    const before = await getGenerator(at, id);
    if (before.is_system) throw fleetError('system_generator_not_a_tenant');
    const { name, description = before.description } = change;
    checkText(name, description);
    const after: Generator = { ...before, name, description, updated_at: timestamp(at.clock) };
    await at.commit({ writes: generatorUpdateWrites(before, after, nameTaken), audit: audited(actor, 'generator.updated', after) });
    return after;
  });

/** Its key dies at once, its stacks follow. The installation's own generators stay. */
export async function removeGenerator(at: FleetPorts, actor: Caller, id: string): Promise<void> {
  await againstNewest(at, 'generator', async () => {
    const before = await getGenerator(at, id);
    if (before.is_system || id === at.installation.admin_generator_id) throw fleetError('cannot_delete_system_generator');
    const hash = await findKeyHash(at.database, id);
    await at.commit({
      writes: [...generatorRemoveWrites(before), ...(hash === undefined ? [] : revokeWrites(id, hash))],
      audit: audited(actor, 'generator.deleted', before),
      events: [occurrence(fleetChanged, { kind: 'generator-removed', generator_id: id, by: { ...actor, principal: ownerOf(actor, id) } })],
    });
  });
  at.forgetKey(id);
}

const ownerOf = ({ principal }: Caller, id: string) =>
  principal.type === 'generator' ? ({ type: 'generator', id } as const) : ({ type: 'admin' } as const);

/** A new key; the old one opens nothing from this moment on in this process, and within five seconds elsewhere. */
export async function rotateGeneratorPak(at: FleetPorts, actor: Caller, id: string): Promise<{ generator: Generator; pak: string }> {
  const rotated = await againstNewest(at, 'key', async () => {
    const [generator, old] = await Promise.all([getGenerator(at, id), findKeyHash(at.database, id)]);
    if (generator.is_system) throw fleetError('system_generator_not_a_tenant');
    const { pak, hash } = mintPak();
    const credential = { principal_type: 'generator' as const, principal_id: id, credential_version: 1 };
    const writes = old === undefined ? grantWrites(credential, hash) : rotateWrites(credential, old, hash);
    await at.commit({ writes, audit: audited(actor, 'pak.rotated', generator) });
    return { generator, pak };
  });
  at.forgetKey(id);
  return rotated;
}

export async function listRegisteredAgents(at: FleetPorts, id: string): Promise<Registration[]> {
  await getGenerator(at, id);
  return listRegistrationsWith(at.database, id);
}
