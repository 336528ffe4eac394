import * as z from 'zod';
import { decideFor } from '../../identity/principal.ts';
import { ConditionFailed, type Item, queryAll } from '../../platform/database/database.ts';
import { retryOnConcurrentChange } from '../concurrent-change.ts';
import { fleetError } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import { fleetTable, matchKey, type Selector, stackKey, stackPk, stackTargetKey, toldKey } from '../fleet-table.ts';
import { TAKES_OVER } from '../protocol/takes-over.ts';
import { announce } from '../targeting/fleet-changed.ts';
import { headUnmoved, matchEdgeWrite } from '../targeting/match-edges.ts';
import {
  annotationAddition,
  annotationRemoval,
  labelAddition,
  labelRemoval,
  SELECTOR_LIMITS,
  type SelectorAddition,
  type SelectorChange,
  selectorAudit,
  selectorPrefix,
} from '../targeting/owned-selectors.ts';
import { stackSelectorAddWrite, stackSelectorRemoveWrite } from '../targeting/selection.ts';
import type { Stack } from './stack.ts';
import { findStack, type StoredStack } from './stack-repository.ts';
import { checkOwner } from './stack-service.ts';

const table = fleetTable.name;

export const StackLabel = z.object({ id: z.uuid(), stack_id: z.uuid(), label: z.string() }).meta({ id: 'StackLabel' });
export type StackLabel = z.infer<typeof StackLabel>;
export const StackAnnotation = z
  .object({ id: z.uuid(), stack_id: z.uuid(), key: z.string(), value: z.string() })
  .meta({ id: 'StackAnnotation' });
export type StackAnnotation = z.infer<typeof StackAnnotation>;

export const listStackLabels = async (ports: FleetPorts, caller: Caller, stackId: string): Promise<StackLabel[]> =>
  (await readableItems(ports, caller, stackId, 'label')).map((item) => StackLabel.parse(item));

export const listStackAnnotations = async (ports: FleetPorts, caller: Caller, stackId: string): Promise<StackAnnotation[]> =>
  (await readableItems(ports, caller, stackId, 'annotation')).map((item) => StackAnnotation.parse(item));

/** Admins, the owner, an agent with an explicit target, and one that was told to run the stack may read. An admin gets an empty list for an unknown stack. */
async function readableItems(
  { database }: FleetPorts,
  { principal }: Caller,
  stackId: string,
  kind: 'label' | 'annotation',
): Promise<Item[]> {
  const stack = await findStack(database, stackId);
  const found = () => {
    if (!stack) throw fleetError('stack_not_found');
    return stack;
  };
  const isReadable = await decideFor<boolean | Promise<boolean>>(principal, {
    admin: () => true,
    agent: async ({ id }) => {
      const related = await database.batchGet(table, [stackTargetKey(found().id, id), toldKey(id, stackId)]);
      return related.some((item) => item !== undefined);
    },
    generator: ({ id }) => id === found().generator_id,
  });
  if (!isReadable) throw fleetError('stack_not_accessible');
  const where = { pk: stackPk(stackId), prefix: selectorPrefix('stack', kind), limit: SELECTOR_LIMITS[kind] };
  return stack ? queryAll(database, table, where) : [];
}

export const addStackLabel = async (ports: FleetPorts, caller: Caller, stack: StoredStack, label: string): Promise<StackLabel> =>
  StackLabel.parse(await addSelector(ports, caller, stack, labelAddition('stack', stack.id, label)));

export const addStackAnnotation = async (
  ports: FleetPorts,
  caller: Caller,
  stack: StoredStack,
  key: string,
  value: string,
): Promise<StackAnnotation> => {
  const addition = annotationAddition('stack', stack.id, key, value);
  checkOwner(caller, stack);
  if (key === TAKES_OVER) await checkTakesOver(ports, stack, value);
  return StackAnnotation.parse(await addSelector(ports, caller, stack, addition));
};

/** Agents believe it, so that nobody takes over what another generator runs on the same agent. A stack never changes its generator. */
async function checkTakesOver({ database }: FleetPorts, { id, generator_id }: Stack, otherId: string): Promise<void> {
  const rule = 'must be the id of another stack of the same generator';
  const other = z.uuid().safeParse(otherId).success && otherId !== id ? await findStack(database, otherId) : undefined;
  if (other?.generator_id !== generator_id)
    throw fleetError('invalid_annotation', { message: `value ${rule}`, details: { field: 'value', rule } });
}

/** The new match edge copies the stack's head, so the transaction fails if the head moves meanwhile, and is tried again. */
async function addSelector(ports: FleetPorts, caller: Caller, before: StoredStack, addition: SelectorAddition): Promise<Item> {
  checkOwner(caller, before);
  const { kind, selector } = addition;
  const { database, commit } = ports;
  const count = `${kind}_count` as const;
  const limit = SELECTOR_LIMITS[kind];
  let stack = before;
  await retryOnConcurrentChange(ports, 'stack', async () => {
    const { below, equals } = { below: {}, equals: {}, ...headUnmoved(stack) };
    try {
      await commit({
        writes: [
          addition.write,
          matchEdgeWrite(stack, selector),
          stackSelectorAddWrite(stack.id, selector),
          { table, update: stackKey(stack.id), add: { [count]: 1 }, if: { exists: true, equals, below: { ...below, [count]: limit } } },
        ],
        audit: selectorAudit(caller, addition, 'added'),
        events: [selectorChanged(stack, selector)],
      });
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      const now = await findStack(database, stack.id);
      if (!now) throw fleetError('stack_not_found');
      if (now[count] >= limit) throw fleetError('too_many', { message: `a stack has at most ${limit} ${kind}s` });
      stack = now;
      throw error;
    }
  });
  return addition.item;
}

const selectorChanged = ({ id, generator_id }: Stack, selector: Selector) =>
  announce({ kind: 'selector-changed', stack_id: id, generator_id, selector });

export const removeStackLabel = async (ports: FleetPorts, caller: Caller, stack: StoredStack, label: string): Promise<void> =>
  removeSelector(ports, caller, stack, labelRemoval('stack', stack.id, label));

export const removeStackAnnotation = async (ports: FleetPorts, caller: Caller, stack: StoredStack, key: string): Promise<void> =>
  removeSelector(ports, caller, stack, await annotationRemoval(ports.database, 'stack', stack.id, key));

async function removeSelector({ commit }: FleetPorts, caller: Caller, stack: Stack, removal: SelectorChange): Promise<void> {
  checkOwner(caller, stack);
  const { kind, selector, write } = removal;
  const gone = () => fleetError('stack_not_found');
  await commit({
    writes: [
      write,
      { table, delete: matchKey(stack.generator_id, selector, stack.id) },
      { table, update: stackKey(stack.id), add: { [`${kind}_count`]: -1 }, if: { exists: true }, orElse: gone },
      stackSelectorRemoveWrite(stack.id, selector),
    ],
    audit: selectorAudit(caller, removal, 'removed'),
    events: [selectorChanged(stack, selector)],
  });
}
