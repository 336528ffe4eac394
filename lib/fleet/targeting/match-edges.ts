import { ConditionFailed, type Database, type Write } from '../../platform/database/database.ts';
import { fleetTable, matchKey, type Selector } from '../fleet-table.ts';
import { findStack, type StackRecord } from '../stacks/stack-repository.ts';
import { storedHead } from '../stacks/stored-head.ts';
import { selectorsOfStack } from './matching.ts';

/**
 * A match edge leads from a generator's label or annotation to a stack, and carries the stack's head, so that an agent's look reads
 * edges alone. A stack has up to 128 edges and a transaction up to 100 writes, so edges follow the head after its transaction:
 * before revisions move, so that whoever asks because of the change reads edges that know it. An edge that is added at the same
 * moment has a condition on the head it copies, and a head on an edge never goes back.
 */
const table = fleetTable.name;
const WRITES_AT_ONCE = 25;

/** Goes into one transaction with `headUnmoved`. */
export const matchEdgeWrite = (stack: StackRecord, selector: Selector): Write => ({
  table,
  put: {
    ...matchKey(stack.generator_id, selector, stack.id),
    type: 'match',
    ...(stack.latest_object && storedHead(stack.latest_object)),
  },
});

/** The condition on a stack's record that its head is still the one that was read. */
export const headUnmoved = ({ latest_sequence }: StackRecord) =>
  latest_sequence === undefined ? { below: { latest_sequence: 0 } } : { equals: { latest_sequence } };

/** Brings a stack's edges up to its head. May be repeated. */
export async function refreshMatchEdges(database: Database, stackId: string): Promise<void> {
  const stack = await findStack(database, stackId);
  const head = stack?.latest_object;
  if (!stack || !head) return;
  const { sequence } = head;
  await eachEdge(database, stack, (key) => ({
    table,
    update: key,
    set: storedHead(head),
    ...(!head.is_deletion_marker && { remove: ['marker'] }),
    if: { exists: true, below: { sequence } },
  }));
}

/** Removes the edges of a stack that is gone. May be repeated. */
export const removeMatchEdges = (database: Database, stack: { id: string; generator_id: string }): Promise<void> =>
  eachEdge(database, stack, (key) => ({ table, delete: key }));

async function eachEdge(
  database: Database,
  { id, generator_id }: { id: string; generator_id: string },
  writeOf: (key: ReturnType<typeof matchKey>) => Write,
): Promise<void> {
  const keys = (await selectorsOfStack(database, id)).map((selector) => matchKey(generator_id, selector, id));
  for (let from = 0; from < keys.length; from += WRITES_AT_ONCE)
    await Promise.all(keys.slice(from, from + WRITES_AT_ONCE).map((key) => writeUnlessOvertaken(database, writeOf(key))));
}

/** The edge was removed meanwhile, or has a later head. */
async function writeUnlessOvertaken(database: Database, write: Write): Promise<void> {
  try {
    await database.write(write);
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
  }
}
