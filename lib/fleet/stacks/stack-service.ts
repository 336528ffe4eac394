import type { Actor, AuditEntry } from '../../identity/audit.ts';
import { findGenerator, generatorPresent } from '../../identity/generator-repository.ts';
import { decideFor } from '../../identity/principal.ts';
import { timestamp } from '../../platform/clock.ts';
import { ConditionFailed } from '../../platform/database/database.ts';
import { newId } from '../../platform/ids.ts';
import type { ListPage, PageRequest } from '../../platform/list-page.ts';
import { checkText } from '../checked-text.ts';
import { retryOnConcurrentChange } from '../concurrent-change.ts';
import { fleetError, foreignKeyViolation } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import { stackSelectorsKey } from '../fleet-table.ts';
import { announceRemoval } from '../removal/fleet-removed.ts';
import { announce } from '../targeting/fleet-changed.ts';
import { findStackSelectors } from '../targeting/selection.ts';
import type { Stack } from './stack.ts';
import { listStacks, listStacksOfGenerator } from './stack-lists.ts';
import { findStack, type StoredStack, stackNewWrites, stackRemoveWrites, stackUpdateWrites } from './stack-repository.ts';

const audited = (caller: Actor, action: string, stack: Stack): AuditEntry => ({
  actor: caller,
  action,
  resourceType: 'stack',
  resourceId: stack.id,
  details: { name: stack.name, generator_id: stack.generator_id },
});

export async function getStack({ database }: FleetPorts, id: string): Promise<StoredStack> {
  const stack = await findStack(database, id);
  if (!stack) throw fleetError('stack_not_found');
  return stack;
}

/** Returns the stack if the caller owns it: admins own all stacks, a generator owns its own. */
export async function getOwnStack(ports: FleetPorts, caller: Caller, id: string): Promise<StoredStack> {
  const stack = await getStack(ports, id);
  checkOwner(caller, stack);
  return stack;
}

/** Verbs that are given a stack check its owner once more. This reads nothing. */
export function checkOwner(caller: Caller, stack: Stack): void {
  if (!owns(caller, stack)) throw fleetError('stack_not_owned');
}

export const owns = ({ principal }: Caller, stack: Stack): boolean =>
  decideFor(principal, { admin: () => true, agent: () => false, generator: ({ id }) => id === stack.generator_id });

/** Admins see all stacks, or those of one tenant; a generator sees its own. */
export const listVisibleStacks = (
  { database }: FleetPorts,
  { principal }: Caller,
  { tenant, ...page }: PageRequest & { tenant?: string | undefined },
): Promise<ListPage<Stack>> =>
  decideFor(principal, {
    admin: () => (tenant === undefined ? listStacks(database, page) : listStacksOfGenerator(database, tenant, page)),
    agent: () => {
      throw fleetError('stacks_list_denied');
    },
    generator: ({ id }) => listStacksOfGenerator(database, id, page),
  });

/** Admins create stacks for every generator, a generator for itself. */
export const checkCreator = ({ principal }: Caller, generatorId: string): void =>
  decideFor(principal, {
    admin: () => {},
    agent: () => {
      throw fleetError('stack_create_denied');
    },
    generator: ({ id }) => {
      if (id !== generatorId) throw fleetError('stack_generator_mismatch');
    },
  });

export const noGenerator = () => foreignKeyViolation('stacks_generator_id', 'generator_id: no such generator');

export interface NewStack {
  name: string;
  description?: string | null | undefined;
  generator_id: string;
}

export async function createStack(ports: FleetPorts, caller: Caller, { name, description = null, generator_id }: NewStack): Promise<Stack> {
  checkCreator(caller, generator_id);
  checkText('invalid_stack', name, description);
  if (!(await findGenerator(ports.database, generator_id))) throw noGenerator();
  const now = timestamp(ports.clock);
  const stack: Stack = { id: newId(), created_at: now, updated_at: now, deleted_at: null, name, description, generator_id };
  const writes = [generatorPresent(generator_id, noGenerator), ...stackNewWrites(stack)];
  await ports.commit({ writes, audit: audited(caller, 'stack.created', stack) });
  return stack;
}

/** Changes the name or the description of the caller's own stack. Callers can't change a stack's owner, times and id. */
export const updateStack = (
  ports: FleetPorts,
  caller: Caller,
  stack: StoredStack,
  change: { name: string; description?: string | null | undefined },
): Promise<Stack> =>
  changeOwn(ports, caller, stack, async (before) => {
    const { name, description = before.description } = change;
    checkText('invalid_stack', name, description);
    const after: Stack = { ...before, name, description, updated_at: timestamp(ports.clock) };
    // The clean-up of a removed generator goes through its stacks by name: no stack may move behind it.
    const ownerPresent = name === before.name ? [] : [generatorPresent(before.generator_id, () => fleetError('stack_not_found'))];
    const writes = [...ownerPresent, ...stackUpdateWrites(before, after)];
    await ports.commit({ writes, audit: audited(caller, 'stack.updated', after) });
    return after;
  });

/** Removes a stack. It is withdrawn from every agent that it was assigned to, also from agents that are away. */
export const removeStack = (ports: FleetPorts, caller: Caller, stack: StoredStack): Promise<void> =>
  changeOwn(ports, caller, stack, (before) => removeRecord(ports, caller, before));

/** Passes the stack as admission has read it, and reads it again only if somebody else has changed it since. */
function changeOwn<T>(ports: FleetPorts, caller: Caller, stack: StoredStack, change: (before: StoredStack) => Promise<T>): Promise<T> {
  checkOwner(caller, stack);
  let read: StoredStack | undefined = stack;
  return retryOnConcurrentChange(ports, 'stack', async () => {
    const before = read ?? (await getOwnStack(ports, caller, stack.id));
    read = undefined;
    return change(before);
  });
}

/** Removes a stack whose owner was removed by `caller`. It is no error if the stack is gone already. */
export const removeOrphanedStack = (ports: FleetPorts, caller: Actor, id: string): Promise<void> =>
  retryOnConcurrentChange(ports, 'stack', async () => {
    const stack = await findStack(ports.database, id);
    if (stack) await removeRecord(ports, caller, stack);
  });

/** Stores two events that don't wait for each other: one notifies the stack's agents, the other clears away its remains. */
async function removeRecord(ports: FleetPorts, caller: Actor, before: StoredStack): Promise<void> {
  const own = await findStackSelectors(ports.database, before.id);
  // Somebody else has removed the stack since it was read.
  if (!own) throw new ConditionFailed(stackSelectorsKey(before.id));
  const removed = { stack_id: before.id, generator_id: before.generator_id };
  await ports.commit({
    writes: stackRemoveWrites(before, own),
    audit: audited(caller, 'stack.deleted', before),
    events: [announce({ kind: 'stack-removed', ...removed, selectors: own.selectors }), announceRemoval({ kind: 'stack', ...removed })],
  });
}
