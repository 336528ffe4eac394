import * as z from 'zod';
import { type Database, type Item, queryAll, type Write } from '../../platform/database/database.ts';
import { uniqueViolation } from '../fleet-errors.ts';
import { fleetTable, generatorPk, stackKey, stackNameKey } from '../fleet-table.ts';
import { type StackSelectors, stackSelectorsNewWrite, stackSelectorsRemoveWrite } from '../targeting/selection.ts';
import { Stack, StackHead } from './stack.ts';

const table = fleetTable.name;
/** No list returns more. */
export const STACK_LIST_LIMIT = 10_000;

/**
 * A stack with its head as flat attributes, so that one conditional update moves it: `latest_sequence` never goes back.
 * `version` is the optimistic lock of the stack's own fields; the head moves without it.
 */
export const StoredStack = Stack.extend({
  version: z.int(),
  label_count: z.int().default(0),
  annotation_count: z.int().default(0),
  object_count: z.int().default(0),
  latest_sequence: z.int().optional(),
  latest_object: StackHead.optional(),
});
export type StoredStack = z.infer<typeof StoredStack>;

export async function findStack(database: Database, id: string): Promise<StoredStack | undefined> {
  const item = await database.get(table, stackKey(id));
  return item && StoredStack.parse(item);
}

/** Returns the given stacks that still exist, in no order. */
export async function findStacks(database: Database, ids: readonly string[]): Promise<StoredStack[]> {
  const items = await database.batchGet(table, ids.map(stackKey));
  return items.map((item) => StoredStack.parse(item));
}

const byAge = (a: Stack, b: Stack) => a.created_at.localeCompare(b.created_at) || a.id.localeCompare(b.id);

/** Oldest first. One query and a read for each. */
export async function listStacksOf(database: Database, generatorId: string, limit = STACK_LIST_LIMIT): Promise<StoredStack[]> {
  const names = await queryAll(database, table, { pk: generatorPk(generatorId), prefix: stackNameKey('', '').sk, limit });
  return (
    await findStacks(
      database,
      names.map((item) => z.uuid().parse(item.id)),
    )
  ).sort(byAge);
}

const nameTaken = () => uniqueViolation('stacks_generator_id_name', 'the generator has a stack of this name already');
const nameItem = ({ id, generator_id, name }: Stack): Item => ({ ...stackNameKey(generator_id, name), type: 'stack-name', id });

/** Writes a new stack, with its head if it is created together with a first deployment object. */
export const stackNewWrites = (stack: Stack, first?: NewHead): Write[] => [
  { table, put: { ...stackKey(stack.id), type: 'stack', version: 1, ...stack, ...(first && headFields(first)) }, if: { exists: false } },
  { table, put: nameItem(stack), if: { exists: false }, orElse: nameTaken },
  stackSelectorsNewWrite(stack),
];

type NewHead = { id: string; sequence_id: number; yaml_checksum: string; is_deletion_marker: boolean };
/** The attributes that say which deployment object is the head. */
export const latestFields = ({ id, sequence_id, yaml_checksum, is_deletion_marker }: NewHead) => ({
  latest_sequence: sequence_id,
  latest_object: { object_id: id, sequence: sequence_id, checksum: yaml_checksum, is_deletion_marker } satisfies StackHead,
});
const headFields = (first: NewHead) => ({ ...latestFields(first), object_count: 1 });

/** Fails if somebody changed the stack since it was read. */
export const stackUpdateWrites = (before: StoredStack, after: Stack): Write[] => [
  {
    table,
    update: stackKey(before.id),
    set: { name: after.name, description: after.description, updated_at: after.updated_at },
    add: { version: 1 },
    if: { exists: true, equals: { version: before.version } },
  },
  ...(before.name === after.name
    ? []
    : [
        { table, delete: stackNameKey(before.generator_id, before.name) },
        { table, put: nameItem(after), if: { exists: false }, orElse: nameTaken },
      ]),
];

/** Fails if somebody changed the stack or its selectors since they were read. */
export const stackRemoveWrites = (before: StoredStack, selectors: StackSelectors): Write[] => [
  { table, delete: stackKey(before.id), if: { equals: { version: before.version } } },
  { table, delete: stackNameKey(before.generator_id, before.name) },
  stackSelectorsRemoveWrite(before.id, selectors),
];
