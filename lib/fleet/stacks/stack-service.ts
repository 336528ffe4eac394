import type { Actor, AuditEntry } from '../../identity/audit.ts';
import { findGenerator, generatorPresent } from '../../identity/generator-repository.ts';
import { timestamp } from '../../platform/clock.ts';
import { occurrence } from '../../platform/events/domain-event.ts';
import { newId } from '../../platform/ids.ts';
import { retryOnConcurrentChange } from '../concurrent-change.ts';
import { fleetError, foreignKeyViolation } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import { fleetChanged } from '../targeting/fleet-changed.ts';
import { checkStackText, type Stack } from './stack.ts';
import {
  findStack,
  listStacks,
  listStacksOf,
  type StackRecord,
  stackNewWrites,
  stackRemoveWrites,
  stackUpdateWrites,
} from './stack-repository.ts';

const audited = (actor: Actor, action: string, stack: Stack): AuditEntry => ({
  actor,
  action,
  resourceType: 'stack',
  resourceId: stack.id,
  details: { name: stack.name, generator_id: stack.generator_id },
});

export async function getStack({ database }: FleetPorts, id: string): Promise<StackRecord> {
  const stack = await findStack(database, id);
  if (!stack) throw fleetError('stack_not_found');
  return stack;
}

/** The stack, if this caller owns it: admins own all, a generator its own. */
export async function getOwnStack(at: FleetPorts, caller: Caller, id: string): Promise<StackRecord> {
  const stack = await getStack(at, id);
  if (!owns(caller, stack)) throw fleetError('stack_not_owned');
  return stack;
}

export const owns = ({ principal }: Caller, stack: Stack): boolean =>
  principal.type === 'admin' || (principal.type === 'generator' && principal.id === stack.generator_id);

/** Admins see all, or one tenant's; a generator sees its own. */
export function listVisibleStacks({ database }: FleetPorts, { principal }: Caller, tenant?: string): Promise<StackRecord[]> {
  if (principal.type === 'generator') return listStacksOf(database, principal.id);
  return tenant === undefined ? listStacks(database) : listStacksOf(database, tenant);
}

export const noGenerator = () => foreignKeyViolation('stacks_generator_id', 'generator_id: no such generator');

export interface NewStack {
  name: string;
  description?: string | null | undefined;
  generator_id: string;
}

export async function createStack(at: FleetPorts, actor: Caller, { name, description = null, generator_id }: NewStack): Promise<Stack> {
  const { principal } = actor;
  if (principal.type === 'agent') throw fleetError('stack_create_denied');
  if (principal.type === 'generator' && principal.id !== generator_id) throw fleetError('stack_generator_mismatch');
  checkStackText(name, description);
  if (!(await findGenerator(at.database, generator_id))) throw noGenerator();
  const now = timestamp(at.clock);
  const stack: Stack = { id: newId(), created_at: now, updated_at: now, deleted_at: null, name, description, generator_id };
  const writes = [generatorPresent(generator_id, noGenerator), ...stackNewWrites(stack)];
  await at.commit({ writes, audit: audited(actor, 'stack.created', stack) });
  return stack;
}

/** Renames or describes. A stack's owner, times and id are not its callers' to change. */
export const updateStack = (
  at: FleetPorts,
  actor: Caller,
  id: string,
  change: { name: string; description?: string | null | undefined },
): Promise<Stack> =>
  retryOnConcurrentChange(at, 'stack', async () => {
    const before = await getOwnStack(at, actor, id);
    const { name, description = before.description } = change;
    checkStackText(name, description);
    const after: Stack = { ...before, name, description, updated_at: timestamp(at.clock) };
    await at.commit({ writes: stackUpdateWrites(before, after), audit: audited(actor, 'stack.updated', after) });
    return after;
  });

/** The stack is withdrawn from every agent it was assigned to, also from those that are away. */
export const removeStack = (at: FleetPorts, actor: Caller, id: string): Promise<void> =>
  retryOnConcurrentChange(at, 'stack', async () => removeRecord(at, actor, await getOwnStack(at, actor, id)));

/** Removes a stack whose owner was removed by `actor`; done where it is gone already. */
export const removeOrphanedStack = (at: FleetPorts, actor: Actor, id: string): Promise<void> =>
  retryOnConcurrentChange(at, 'stack', async () => {
    const stack = await findStack(at.database, id);
    if (stack) await removeRecord(at, actor, stack);
  });

const removeRecord = (at: FleetPorts, actor: Actor, before: StackRecord): Promise<void> =>
  at.commit({
    writes: stackRemoveWrites(before),
    audit: audited(actor, 'stack.deleted', before),
    events: [occurrence(fleetChanged, { kind: 'stack-removed', stack_id: before.id, generator_id: before.generator_id })],
  });
