import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import * as z from 'zod';
import { type Database, type Item, queryAll, type Write } from '../../platform/database/database.ts';
import { isExpired } from '../../platform/database/table.ts';
import { fleetTable, objectBodyKey, objectHeadKey, objectPk, stackKey, stackObjectKey, stackPk } from '../fleet-table.ts';
import type { DeploymentObject } from '../protocol/agent-protocol.ts';
import { latestFields } from '../stacks/stack-repository.ts';

const table = fleetTable.name;
/** DynamoDB's limit is 400 KB an item, names and all. */
const CHUNK_BYTES = 350 * 1024;

/** Everything but the YAML. */
export const ObjectHead = z.object({
  id: z.uuid(),
  created_at: z.iso.datetime(),
  stack_id: z.uuid(),
  sequence_id: z.int(),
  yaml_checksum: z.string(),
  is_deletion_marker: z.boolean(),
  body_chunks: z.int(),
});
export type ObjectHead = z.infer<typeof ObjectHead>;
export type NewObjectHead = Omit<ObjectHead, 'body_chunks'>;

export const checksumOf = (yaml: string): string => createHash('sha256').update(yaml).digest('hex');

/** The object and its place under its stack. */
export function objectNewWrites(head: NewObjectHead, yaml: string): Write[] {
  const body = gzipSync(yaml);
  const chunks = Array.from({ length: Math.ceil(body.length / CHUNK_BYTES) }, (_, n) =>
    body.subarray(n * CHUNK_BYTES, (n + 1) * CHUNK_BYTES),
  );
  const stored: ObjectHead = { ...head, body_chunks: chunks.length };
  return [
    { table, put: { ...objectHeadKey(head.id), type: 'object', ...stored } as Item, if: { exists: false } },
    ...chunks.map((chunk, n): Write => ({ table, put: { ...objectBodyKey(head.id, n), type: 'object-body', body: chunk } as Item })),
    {
      table,
      put: { ...stackObjectKey(head.stack_id, head.sequence_id), type: 'stack-object', id: head.id } as Item,
      if: { exists: false },
    },
  ];
}

/** Moves the stack's head to this object; fails if a later one is there already, or if the stack is gone. */
export const headWrite = (head: NewObjectHead, overtaken: () => Error): Write => ({
  table,
  update: stackKey(head.stack_id),
  set: latestFields(head),
  add: { object_count: 1 },
  if: { exists: true, below: { latest_sequence: head.sequence_id } },
  orElse: overtaken,
});
/** Keeps an object as history that a later one has overtaken. */
export const historyWrite = (stackId: string, gone: () => Error): Write => ({
  table,
  update: stackKey(stackId),
  add: { object_count: 1 },
  if: { exists: true },
  orElse: gone,
});

/** Also of a removed stack, until it expires: agents report what became of it. */
export async function findObjectHead(database: Database, id: string, nowMs: number): Promise<ObjectHead | undefined> {
  const item = await database.get(table, objectHeadKey(id));
  return item && !isExpired(item, nowMs) ? ObjectHead.parse(item) : undefined;
}

/** Head and body; one query. The head of a removed stack expires, and its body is gone. */
export async function findObject(database: Database, id: string): Promise<DeploymentObject | undefined> {
  const items = await queryAll(database, table, { pk: objectPk(id), limit: 20 });
  const head = items.find((item) => item.sk === 'HEAD');
  return head && head.expires_at === undefined ? toWire(ObjectHead.parse(head), items) : undefined;
}

function toWire({ body_chunks, ...head }: ObjectHead, items: readonly Item[]): DeploymentObject {
  const chunks = items.filter((item) => item.sk.startsWith('BODY#')).map((item) => z.instanceof(Uint8Array).parse(item.body));
  if (chunks.length !== body_chunks) throw new Error(`deployment object ${head.id} has ${chunks.length} of ${body_chunks} chunks`);
  const yaml_content = body_chunks === 0 ? '' : gunzipSync(Buffer.concat(chunks)).toString();
  return { ...head, updated_at: head.created_at, deleted_at: null, yaml_content, submitted_at: head.created_at };
}

/** Ids of a stack's objects, newest first, `before` a sequence. */
export async function listObjectIds(database: Database, stackId: string, limit: number, before?: number): Promise<string[]> {
  const prefix = 'OBJECT#';
  const after = before === undefined ? {} : { after: stackObjectKey(stackId, before).sk };
  const items = await queryAll(database, table, { pk: stackPk(stackId), prefix, descending: true, limit, ...after });
  return items.map((item) => z.uuid().parse(item.id));
}
