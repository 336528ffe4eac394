import type { Actor, AuditEntry } from '../../identity/audit.ts';
import { findGenerator, generatorPresent } from '../../identity/generator-repository.ts';
import { decideFor } from '../../identity/principal.ts';
import { timestamp } from '../../platform/clock.ts';
import { ConditionFailed } from '../../platform/database/database.ts';
import { newId } from '../../platform/ids.ts';
import type { ListPage, PageRequest } from '../../platform/list-page.ts';
import { retryOnConcurrentChange } from '../concurrent-change.ts';
import { fleetError, foreignKeyViolation } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import { stackSelectorsKey } from '../fleet-table.ts';
import { announceRemoval } from '../removal/fleet-removed.ts';
import { announce } from '../targeting/fleet-changed.ts';
import { findStackSelectors } from '../targeting/selection.ts';
import { checkStackText, type Stack } from './stack.ts';
import { listStacks, listStacksOfGenerator } from './stack-lists.ts';
import { findStack, type StackRecord, stackNewWrites, stackRemoveWrites, stackUpdateWrites } from './stack-repository.ts';

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
export async function getOwnStack(ports: FleetPorts, caller: Caller, id: string): Promise<StackRecord> {
  const stack = await getStack(ports, id);
  checkOwner(caller, stack);
  return stack;
}

/** Reads nothing: verbs that are given a stack check its owner once more. */
export function checkOwner(caller: Caller, stack: Stack): void {
  if (!owns(caller, stack)) throw fleetError('stack_not_owned');
}

export const owns = ({ principal }: Caller, stack: Stack): boolean =>
  decideFor(principal, { admin: () => true, agent: () => false, generator: ({ id }) => id === stack.generator_id });

/** Admins see all, or one tenant's; a generator sees its own. */
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
  checkStackText(name, description);
  if (!(await findGenerator(ports.database, generator_id))) throw noGenerator();
  const now = timestamp(ports.clock);
  const stack: Stack = { id: newId(), created_at: now, updated_at: now, deleted_at: null, name, description, generator_id };
  const writes = [generatorPresent(generator_id, noGenerator), ...stackNewWrites(stack)];
  await ports.commit({ writes, audit: audited(caller, 'stack.created', stack) });
  return stack;
}

/** Renames or describes the caller's own stack, as it was read. A stack's owner, times and id are not its callers' to change. */
export const updateStack = (
  ports: FleetPorts,
  caller: Caller,
  stack: StackRecord,
  change: { name: string; description?: string | null | undefined },
): Promise<Stack> =>
  changeOwn(ports, caller, stack, async (before) => {
    const { name, description = before.description } = change;
    checkStackText(name, description);
    const after: Stack = { ...before, name, description, updated_at: timestamp(ports.clock) };
    // While a removed generator's stacks are walked by name, none may move to where the walk has been.
    const ownerPresent = name === before.name ? [] : [generatorPresent(before.generator_id, () => fleetError('stack_not_found'))];
    const writes = [...ownerPresent, ...stackUpdateWrites(before, after)];
    await ports.commit({ writes, audit: audited(caller, 'stack.updated', after) });
    return after;
  });

/** The stack is withdrawn from every agent it was assigned to, also from those that are away. */
export const removeStack = (ports: FleetPorts, caller: Caller, stack: StackRecord): Promise<void> =>
  changeOwn(ports, caller, stack, (before) => removeRecord(ports, caller, before));

/** Changes the stack as it was read at admission; reads it again only if somebody else has changed it since. */
function changeOwn<T>(ports: FleetPorts, caller: Caller, stack: StackRecord, change: (before: StackRecord) => Promise<T>): Promise<T> {
  checkOwner(caller, stack);
  let read: StackRecord | undefined = stack;
  return retryOnConcurrentChange(ports, 'stack', async () => {
    const before = read ?? (await getOwnStack(ports, caller, stack.id));
    read = undefined;
    return change(before);
  });
}

/** Removes a stack whose owner was removed by `actor`; done if it is gone already. */
export const removeOrphanedStack = (at: FleetPorts, actor: Actor, id: string): Promise<void> =>
  retryOnConcurrentChange(at, 'stack', async () => {
    const stack = await findStack(at.database, id);
    if (stack) await removeRecord(at, actor, stack);
  });

/** Its agents are notified, and what is left of it is cleared away, by two events that don't wait for each other. */
async function removeRecord(at: FleetPorts, actor: Actor, before: StackRecord): Promise<void> {
  const own = await findStackSelectors(at.database, before.id);
  // Somebody else has removed it since it was read.
  if (!own) throw new ConditionFailed(stackSelectorsKey(before.id));
  const removed = { stack_id: before.id, generator_id: before.generator_id };
  await at.commit({
    writes: stackRemoveWrites(before, own),
    audit: audited(actor, 'stack.deleted', before),
    events: [announce({ kind: 'stack-removed', ...removed, selectors: own.selectors }), announceRemoval({ kind: 'stack', ...removed })],
  });
}
