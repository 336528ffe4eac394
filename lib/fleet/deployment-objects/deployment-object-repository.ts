import { createHash } from 'node:crypto';
import * as z from 'zod';
import { type Database, type Item, queryAll, type Write } from '../../platform/database/database.ts';
import { isExpired } from '../../platform/database/table.ts';
import {
  deploymentObjectBodyKey,
  deploymentObjectHeadKey,
  deploymentObjectPk,
  fleetTable,
  stackDeploymentObjectKey,
  stackKey,
  stackPk,
} from '../fleet-table.ts';
import type { DeploymentObject } from '../protocol/agent-protocol.ts';
import { latestFields } from '../stacks/stack-repository.ts';
import { textChunks, textOfChunks } from '../stored-text.ts';

const table = fleetTable.name;

/** A deployment object without its YAML. */
export const DeploymentObjectHead = z.object({
  id: z.uuid(),
  created_at: z.iso.datetime(),
  stack_id: z.uuid(),
  sequence_id: z.int(),
  yaml_checksum: z.string(),
  is_deletion_marker: z.boolean(),
  body_chunks: z.int(),
});
export type DeploymentObjectHead = z.infer<typeof DeploymentObjectHead>;
export type NewDeploymentObjectHead = Omit<DeploymentObjectHead, 'body_chunks'>;

export const checksumOf = (yaml: string): string => createHash('sha256').update(yaml).digest('hex');

/** Writes a deployment object and its place under its stack. */
export function deploymentObjectNewWrites(head: NewDeploymentObjectHead, yaml: string): Write[] {
  const chunks = textChunks(yaml);
  const stored: DeploymentObjectHead = { ...head, body_chunks: chunks.length };
  return [
    { table, put: { ...deploymentObjectHeadKey(head.id), type: 'object', ...stored } as Item, if: { exists: false } },
    ...chunks.map(
      (chunk, n): Write => ({ table, put: { ...deploymentObjectBodyKey(head.id, n), type: 'object-body', body: chunk } as Item }),
    ),
    {
      table,
      put: { ...stackDeploymentObjectKey(head.stack_id, head.sequence_id), type: 'stack-object', id: head.id } as Item,
      if: { exists: false },
    },
  ];
}

/** Makes this deployment object the stack's head. Fails if the stack has a later head already, or if the stack is gone. */
export const headWrite = (head: NewDeploymentObjectHead, overtaken: () => Error): Write => ({
  table,
  update: stackKey(head.stack_id),
  set: latestFields(head),
  add: { object_count: 1 },
  if: { exists: true, below: { latest_sequence: head.sequence_id } },
  orElse: overtaken,
});
/** Counts a deployment object that is history from the start, because the stack has a later head already. */
export const historyWrite = (stackId: string, gone: () => Error): Write => ({
  table,
  update: stackKey(stackId),
  add: { object_count: 1 },
  if: { exists: true },
  orElse: gone,
});

/** Finds the head of a removed stack too, until it expires, because agents still report on it. */
export async function findDeploymentObjectHead(database: Database, id: string, nowMs: number): Promise<DeploymentObjectHead | undefined> {
  const item = await database.get(table, deploymentObjectHeadKey(id));
  return item && !isExpired(item, nowMs) ? DeploymentObjectHead.parse(item) : undefined;
}

/** Reads head and body by one query. Undefined for a removed stack: its body is gone. */
export async function findDeploymentObject(database: Database, id: string): Promise<DeploymentObject | undefined> {
  const items = await queryAll(database, table, { pk: deploymentObjectPk(id), limit: 20 });
  const head = items.find((item) => item.sk === 'HEAD');
  return head && head.expires_at === undefined ? toWire(DeploymentObjectHead.parse(head), items) : undefined;
}

function toWire({ body_chunks, ...head }: DeploymentObjectHead, items: readonly Item[]): DeploymentObject {
  const chunks = items.filter((item) => item.sk.startsWith('BODY#')).map((item) => item.body);
  const yaml_content = textOfChunks(chunks, body_chunks, `deployment object ${head.id}`);
  return { ...head, updated_at: head.created_at, deleted_at: null, yaml_content, submitted_at: head.created_at };
}

/** Lists the ids of a stack's deployment objects, newest first, from `before` a sequence on. */
export async function listDeploymentObjectIds(database: Database, stackId: string, limit: number, before?: number): Promise<string[]> {
  const prefix = 'OBJECT#';
  const after = before === undefined ? {} : { after: stackDeploymentObjectKey(stackId, before).sk };
  const items = await queryAll(database, table, { pk: stackPk(stackId), prefix, descending: true, limit, ...after });
  return items.map((item) => z.uuid().parse(item.id));
}
