import * as z from 'zod';
import { decideFor } from '../../identity/principal.ts';
import { ConditionFailed, type Item, queryAll, type Write } from '../../platform/database/database.ts';
import { newId } from '../../platform/ids.ts';
import { retryOnConcurrentChange } from '../concurrent-change.ts';
import { fleetError, uniqueViolation } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import {
  fleetTable,
  matchKey,
  type Selector,
  stackAnnotationKey,
  stackKey,
  stackLabelKey,
  stackPk,
  stackTargetKey,
} from '../fleet-table.ts';
import { announce } from '../targeting/fleet-changed.ts';
import { headUnmoved, matchEdgeWrite } from '../targeting/match-edges.ts';
import { stackSelectorAddWrite, stackSelectorRemoveWrite } from '../targeting/selection.ts';
import { checkAnnotation, checkLabel, isSelectorText } from '../targeting/selector.ts';
import { STACK_LIMITS, type Stack } from './stack.ts';
import { findStack, type StoredStack } from './stack-repository.ts';
import { checkOwner } from './stack-service.ts';

const table = fleetTable.name;

export const StackLabel = z.object({ id: z.uuid(), stack_id: z.uuid(), label: z.string() }).meta({ id: 'StackLabel' });
export type StackLabel = z.infer<typeof StackLabel>;
export const StackAnnotation = z
  .object({ id: z.uuid(), stack_id: z.uuid(), key: z.string(), value: z.string() })
  .meta({ id: 'StackAnnotation' });
export type StackAnnotation = z.infer<typeof StackAnnotation>;

export async function listStackLabels(ports: FleetPorts, caller: Caller, stackId: string): Promise<StackLabel[]> {
  const items = await readableItems(ports, caller, stackId, stackLabelKey('', '').sk, STACK_LIMITS.labels);
  return items.map((item) => StackLabel.parse(item));
}

export async function listStackAnnotations(ports: FleetPorts, caller: Caller, stackId: string): Promise<StackAnnotation[]> {
  const items = await readableItems(ports, caller, stackId, stackAnnotationKey('', '').sk, STACK_LIMITS.annotations);
  return items.map((item) => StackAnnotation.parse(item));
}

/** Admins, the owner, and an agent with an explicit target may read. An admin gets an empty list for an unknown stack. */
async function readableItems(
  { database }: FleetPorts,
  { principal }: Caller,
  stackId: string,
  prefix: string,
  limit: number,
): Promise<Item[]> {
  const stack = await findStack(database, stackId);
  const found = () => {
    if (!stack) throw fleetError('stack_not_found');
    return stack;
  };
  const isReadable = await decideFor<boolean | Promise<boolean>>(principal, {
    admin: () => true,
    agent: async ({ id }) => (await database.get(table, stackTargetKey(found().id, id))) !== undefined,
    generator: ({ id }) => id === found().generator_id,
  });
  if (!isReadable) throw fleetError('stack_not_accessible');
  return stack ? queryAll(database, table, { pk: stackPk(stackId), prefix, limit }) : [];
}

export async function addStackLabel(ports: FleetPorts, caller: Caller, stack: StoredStack, label: string): Promise<StackLabel> {
  checkOwner(caller, stack);
  checkLabel(label);
  const value: StackLabel = { id: newId(), stack_id: stack.id, label };
  const taken = () => uniqueViolation('stack_labels_stack_id_label', 'the stack has this label already');
  const put: Write = {
    table,
    put: { ...stackLabelKey(stack.id, label), type: 'stack-label', ...value },
    if: { exists: false },
    orElse: taken,
  };
  await addSelector(ports, caller, stack, put, { label }, 'label');
  return value;
}

export async function addStackAnnotation(
  ports: FleetPorts,
  caller: Caller,
  stack: StoredStack,
  key: string,
  value: string,
): Promise<StackAnnotation> {
  checkOwner(caller, stack);
  checkAnnotation('stack', key, value);
  const annotation: StackAnnotation = { id: newId(), stack_id: stack.id, key, value };
  const taken = () => uniqueViolation('stack_annotations_stack_id_key', 'the stack has an annotation with this key already');
  const put: Write = {
    table,
    put: { ...stackAnnotationKey(stack.id, key), type: 'stack-annotation', ...annotation },
    if: { exists: false },
    orElse: taken,
  };
  await addSelector(ports, caller, stack, put, { key, value }, 'annotation');
  return annotation;
}

/** The new match edge copies the stack's head, so the transaction fails if the head moves meanwhile, and is tried again. */
async function addSelector(
  ports: FleetPorts,
  caller: Caller,
  before: StoredStack,
  put: Write,
  selector: Selector,
  what: 'label' | 'annotation',
): Promise<void> {
  const { database, commit } = ports;
  const count = `${what}_count` as const;
  const limit = STACK_LIMITS[`${what}s`];
  let stack = before;
  await retryOnConcurrentChange(ports, 'stack', async () => {
    const { below, equals } = { below: {}, equals: {}, ...headUnmoved(stack) };
    try {
      await commit({
        writes: [
          put,
          matchEdgeWrite(stack, selector),
          stackSelectorAddWrite(stack.id, selector),
          { table, update: stackKey(stack.id), add: { [count]: 1 }, if: { exists: true, equals, below: { ...below, [count]: limit } } },
        ],
        audit: { actor: caller, action: `stack.${what}_added`, resourceType: 'stack', resourceId: stack.id, details: selector },
        events: [selectorChanged(stack, selector)],
      });
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      const now = await findStack(database, stack.id);
      if (!now) throw fleetError('stack_not_found');
      if (now[count] >= limit) throw fleetError('too_many', { message: `a stack has at most ${limit} ${what}s` });
      stack = now;
      throw error;
    }
  });
}

const selectorChanged = ({ id, generator_id }: Stack, selector: Selector) =>
  announce({ kind: 'selector-changed', stack_id: id, generator_id, selector });

export async function removeStackLabel(ports: FleetPorts, caller: Caller, stack: StoredStack, label: string): Promise<void> {
  checkOwner(caller, stack);
  const gone = (): Error => fleetError('stack_label_not_found');
  if (!isSelectorText(label)) throw gone();
  await removeSelector(
    ports,
    caller,
    stack,
    { table, delete: stackLabelKey(stack.id, label), if: { exists: true }, orElse: gone },
    { label },
    'label',
  );
}

export async function removeStackAnnotation(ports: FleetPorts, caller: Caller, stack: StoredStack, key: string): Promise<void> {
  checkOwner(caller, stack);
  const gone = (): Error => fleetError('stack_annotation_not_found');
  const item = isSelectorText(key) && (await ports.database.get(table, stackAnnotationKey(stack.id, key)));
  if (!item) throw gone();
  const { id, value } = StackAnnotation.parse(item);
  await removeSelector(
    ports,
    caller,
    stack,
    { table, delete: stackAnnotationKey(stack.id, key), if: { equals: { id } }, orElse: gone },
    { key, value },
    'annotation',
  );
}

const removeSelector = (
  { commit }: FleetPorts,
  caller: Caller,
  stack: Stack,
  drop: Write,
  selector: Selector,
  what: 'label' | 'annotation',
) =>
  commit({
    writes: [
      drop,
      { table, delete: matchKey(stack.generator_id, selector, stack.id) },
      {
        table,
        update: stackKey(stack.id),
        add: { [`${what}_count`]: -1 },
        if: { exists: true },
        orElse: () => fleetError('stack_not_found'),
      },
      stackSelectorRemoveWrite(stack.id, selector),
    ],
    audit: { actor: caller, action: `stack.${what}_removed`, resourceType: 'stack', resourceId: stack.id, details: selector },
    events: [selectorChanged(stack, selector)],
  });
