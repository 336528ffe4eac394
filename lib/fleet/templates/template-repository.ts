import * as z from 'zod';
import { type Database, type Item, queryAll, type Write } from '../../platform/database/database.ts';
import { followEdges, type Placed, readInKeyOrder } from '../../platform/database/key-order.ts';
import { collectPage, type ListPage, LONGEST_PAGE, type PageRequest } from '../../platform/list-page.ts';
import {
  fleetTable,
  TEMPLATE_LIST_PK,
  templateKey,
  templateNameKey,
  templateOwnerKey,
  templateOwnerPk,
  templatePk,
  templateTextKey,
} from '../fleet-table.ts';
import { textChunks, textOfChunks } from '../stored-text.ts';
import { type StackTemplate, TemplateHead } from './template.ts';

const table = fleetTable.name;

/** The last version of a name: 0 if the owner never had a template of this name. Versions that were deleted count too. */
export async function lastVersion(database: Database, generatorId: string | null, name: string): Promise<number> {
  const item = await database.get(table, templateNameKey(generatorId, name));
  return item ? z.int().parse(item.last_version) : 0;
}

/** Writes a new version. Fails if somebody else has made one since the last version was read. */
export function templateNewWrites({ template_content, parameters_schema, ...rest }: StackTemplate): Write[] {
  const [content, schema] = [textChunks(template_content), textChunks(parameters_schema)];
  const head: TemplateHead = { ...rest, content_chunks: content.length, schema_chunks: schema.length };
  const { id, generator_id, name, version } = head;
  const text = (kind: 'CONTENT' | 'SCHEMA', chunks: readonly Uint8Array[]) =>
    chunks.map((chunk, n): Write => ({ table, put: { ...templateTextKey(id, kind, n), type: 'template-text', chunk } as Item }));
  return [
    {
      table,
      put: { ...templateNameKey(generator_id, name), type: 'template-name', last_version: version },
      if: version === 1 ? { exists: false } : { equals: { last_version: version - 1 } },
    },
    { table, put: { ...templateKey(id), type: 'template', ...head } as Item, if: { exists: false } },
    { table, put: { ...templateOwnerKey(generator_id, id), type: 'template-ref', id } },
    ...text('CONTENT', content),
    ...text('SCHEMA', schema),
  ];
}

/** Removes a template's home and its place with its owner. What is in its own partition goes by `clearTemplate`. */
export const templateRemoveWrites = ({ id, generator_id }: TemplateHead, gone: () => Error): Write[] => [
  { table, delete: templateKey(id), if: { exists: true }, orElse: gone },
  { table, delete: templateOwnerKey(generator_id, id) },
];

/** Everything in a template's partition: texts, labels, annotations. A template has at most some hundred such items. */
export const templateItems = (database: Database, id: string): Promise<Item[]> =>
  queryAll(database, table, { pk: templatePk(id), limit: 300 });

export async function findTemplateHead(database: Database, id: string): Promise<TemplateHead | undefined> {
  const item = await database.get(table, templateKey(id));
  return item && TemplateHead.parse(item);
}

/** The head with its texts. Undefined if the template has just been removed. */
export async function withTexts(database: Database, head: TemplateHead): Promise<StackTemplate | undefined> {
  const { content_chunks, schema_chunks, ...rest } = head;
  const keys = (kind: 'CONTENT' | 'SCHEMA', count: number) => Array.from({ length: count }, (_, n) => templateTextKey(head.id, kind, n));
  const items = await database.batchGet(table, [...keys('CONTENT', content_chunks), ...keys('SCHEMA', schema_chunks)]);
  if (items.length < content_chunks + schema_chunks) return undefined;
  const bySk = new Map(items.map(({ sk, chunk }) => [sk, chunk]));
  const text = (kind: 'CONTENT' | 'SCHEMA', count: number) =>
    textOfChunks(
      keys(kind, count).map(({ sk }) => bySk.get(sk)),
      count,
      `template ${head.id}`,
    );
  return { ...rest, template_content: text('CONTENT', content_chunks), parameters_schema: text('SCHEMA', schema_chunks) };
}

const READ_AT_ONCE = 20;

/** Lists all templates, or those of the system and of one generator, in the order of their creation. A template costs a read for each text. */
export async function listTemplates(
  database: Database,
  generatorId: string | undefined,
  { limit = LONGEST_PAGE, cursor }: PageRequest,
): Promise<ListPage<StackTemplate>> {
  const page = collectPage<StackTemplate>(limit);
  let last: string | undefined;
  for await (const batch of generatorId === undefined ? all(database, cursor) : visible(database, generatorId, cursor)) {
    for (let from = 0; from < batch.length; from += READ_AT_ONCE) {
      const some = batch.slice(from, from + READ_AT_ONCE);
      const templates = await Promise.all(some.map(({ item }) => withTexts(database, TemplateHead.parse(item))));
      for (const [n, template] of templates.entries()) {
        if (template && !page.add(template)) return { items: page.items, ...(last !== undefined && { next: last }) };
        last = some[n]?.place;
      }
    }
  }
  return { items: page.items };
}

const all = (database: Database, after: string | undefined) => readInKeyOrder(database, table, { pks: [TEMPLATE_LIST_PK], after });

/** First the system's, then the generator's. A place begins with whose list it is in. */
async function* visible(database: Database, generatorId: string, cursor: string | undefined): AsyncGenerator<Placed[]> {
  const inOwn = cursor?.startsWith('G.') === true;
  const after = cursor?.slice(2);
  const lists = [...(inOwn ? [] : [['S', null] as const]), ['G', generatorId] as const];
  for (const [n, [mark, owner]] of lists.entries()) {
    const refs = readInKeyOrder(database, table, {
      pks: [templateOwnerPk(owner)],
      prefix: templateOwnerKey(owner, '').sk,
      // The cursor is a place of the first list that is left.
      after: n === 0 ? after : undefined,
    });
    for await (const batch of followEdges(database, table, refs, (edge) => templateKey(String(edge.id))))
      yield batch.map(({ place, item }) => ({ place: `${mark}.${place}`, item }));
  }
}
