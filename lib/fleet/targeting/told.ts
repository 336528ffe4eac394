import * as z from 'zod';
import { type Database, type Item, queryPages, type Write } from '../../platform/database/database.ts';
import { agentPk, fleetTable, toldKey } from '../fleet-table.ts';
import type { Assignment } from '../protocol/agent-protocol.ts';
import type { StackHead } from '../stacks/stack.ts';
import { readStoredHead, storedHead } from '../stacks/stored-head.ts';

/** A told item: an agent's assignment for one stack. It exists until the agent reports that it has removed the stack. */
export interface Told {
  state: 'assigned' | 'withdrawn';
  head: StackHead;
}

const table = fleetTable.name;
const PREFIX = toldKey('', '').sk;
/** One query reads this many items, so that parsing them never delays other requests for long. */
const PAGE = 500;
const State = z.enum(['assigned', 'withdrawn']);

const stackIdOf = (item: Item): string => item.sk.slice(PREFIX.length);
const readItem = (item: Item): Told => ({ state: State.parse(item.state), head: readStoredHead(item) });

/** Reads all told items of an agent: about 50 units for 1,000 stacks. */
export async function readTold(database: Database, agentId: string): Promise<Map<string, Told>> {
  const told = new Map<string, Told>();
  let after: string | undefined;
  do {
    const page = await database.query(table, {
      pk: agentPk(agentId),
      prefix: PREFIX,
      limit: PAGE,
      ...(after !== undefined && { after }),
    });
    for (const item of page.items) told.set(stackIdOf(item), readItem(item));
    after = page.next;
  } while (after !== undefined);
  return told;
}

/** Reads the told items in the order of their stacks' ids, after the given id. */
export async function readToldPage(database: Database, agentId: string, limit: number, after?: string): Promise<Map<string, Told>> {
  const from = after === undefined ? {} : { after: toldKey(agentId, after).sk };
  const told = new Map<string, Told>();
  for await (const items of queryPages(database, table, { pk: agentPk(agentId), prefix: PREFIX, limit, ...from }))
    for (const item of items) told.set(stackIdOf(item), readItem(item));
  return told;
}

/** Returns an entry for each given stack, undefined if the agent was not told of it. */
export async function findTold(database: Database, agentId: string, stackIds: readonly string[]): Promise<Map<string, Told | undefined>> {
  const items = await database.batchGet(
    table,
    stackIds.map((stackId) => toldKey(agentId, stackId)),
  );
  const found = new Map(items.map((item) => [stackIdOf(item), readItem(item)]));
  return new Map(stackIds.map((stackId) => [stackId, found.get(stackId)]));
}

/** Fails if another poll of the agent has changed the told item since `before` was read. */
export const toldWrite = (agentId: string, stackId: string, before: Told | undefined, { state, head }: Told): Write => ({
  table,
  put: { ...toldKey(agentId, stackId), type: 'told', state, ...storedHead(head) },
  if: before ? { equals: { state: before.state, object_id: before.head.object_id } } : { exists: false },
});

/** Fails if the told item has changed since. */
export const withdrawnRemoveWrite = (agentId: string, removed: { id: string; stack_id: string }): Write => ({
  table,
  delete: toldKey(agentId, removed.stack_id),
  if: { equals: { state: 'withdrawn', object_id: removed.id } },
});

export const isSame = (one: Told | undefined, other: Told | undefined): boolean =>
  one?.state === other?.state && one?.head.object_id === other?.head.object_id;

export const assignmentOf = (stackId: string, { state, head }: Told): Assignment => ({
  stack_id: stackId,
  state,
  deployment_object_id: head.object_id,
  sequence_id: head.sequence,
  checksum: head.checksum,
  is_deletion_marker: head.is_deletion_marker,
});
