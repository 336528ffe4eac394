import * as z from 'zod';
import type { Database, Item, Write } from '../platform/database/database.ts';
import { type Placed, readInKeyOrder } from '../platform/database/key-order.ts';
import { type ListPage, type PageRequest, readPage, sortOldestFirst } from '../platform/list-page.ts';
import { Generator } from './generator.ts';
import { GENERATOR_LIST_PK, generatorKey, generatorNameKey, identityTable } from './identity-table.ts';

const table = identityTable.name;

const StoredGenerator = Generator.extend({ version: z.int() });
export type StoredGenerator = z.infer<typeof StoredGenerator>;

const item = (generator: Generator, version: number): Item => ({ ...generatorKey(generator.id), type: 'generator', version, ...generator });
const nameItem = (generator: Generator): Item => ({ ...generatorNameKey(generator.name), type: 'generator-name', id: generator.id });

export const generatorNewWrites = (generator: Generator, nameTaken?: () => Error): Write[] => [
  { table, put: item(generator, 1), if: { exists: false } },
  { table, put: nameItem(generator), if: { exists: false }, ...(nameTaken && { orElse: nameTaken }) },
];

/** These writes fail if the generator was changed since it was read. */
export const generatorUpdateWrites = (before: StoredGenerator, after: Generator, nameTaken: () => Error): Write[] => [
  { table, put: item(after, before.version + 1), if: { equals: { version: before.version } } },
  ...(before.name === after.name
    ? []
    : [
        { table, delete: generatorNameKey(before.name) },
        { table, put: nameItem(after), if: { exists: false }, orElse: nameTaken },
      ]),
];

export const generatorRemoveWrites = (before: StoredGenerator): Write[] => [
  { table, delete: generatorKey(before.id), if: { equals: { version: before.version } } },
  { table, delete: generatorNameKey(before.name) },
];

/** A check that fails if the generator was removed since it was read: a record made for it then would have no owner. */
export const generatorPresent = (id: string, gone: () => Error): Write => ({
  table,
  check: generatorKey(id),
  if: { exists: true },
  orElse: gone,
});

/** A check that fails if the generator was changed or removed since it was read. */
export const generatorUnchanged = ({ id, version }: StoredGenerator): Write => ({
  table,
  check: generatorKey(id),
  if: { equals: { version } },
});

export async function findGenerator(database: Database, id: string): Promise<StoredGenerator | undefined> {
  const found = await database.get(table, generatorKey(id));
  return found && StoredGenerator.parse(found);
}

/** Lists all generators but the system's, which is not a tenant. A page has the next ones by id, sorted oldest first. */
export async function listTenants(database: Database, page: PageRequest): Promise<ListPage<Generator>> {
  return sortOldestFirst(await readPage(tenants(database, page.cursor), page, (found) => Generator.parse(found)));
}

async function* tenants(database: Database, after: string | undefined): AsyncGenerator<Placed[]> {
  for await (const batch of readInKeyOrder(database, table, { pks: [GENERATOR_LIST_PK], after })) {
    yield batch.filter(({ item }) => item.is_system !== true);
  }
}
