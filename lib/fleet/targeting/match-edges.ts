import { ConditionFailed, type Database, type Key, type Write } from '../../platform/database/database.ts';
import { eachBounded } from '../../platform/each-bounded.ts';
import { fleetTable, matchKey, type Selector } from '../fleet-table.ts';
import { findStack, type StoredStack } from '../stacks/stack-repository.ts';
import { storedHead } from '../stacks/stored-head.ts';
import { findStackSelectors } from './selection.ts';

/**
 * A match edge leads from a generator's label or annotation to a stack, and carries the stack's head, so that a poll reads edges alone. A
 * stack has up to 128 edges and a transaction has up to 100 writes, so edges get the new head after the transaction. They get it before
 * revisions move, so that a poll which the change causes reads the new head. An edge that is added at the same moment has a condition
 * on the head that it copies, and a head on an edge never goes back.
 */
const table = fleetTable.name;
const WRITES_AT_ONCE = 25;

/** Adds an edge. Its transaction must contain the condition `headUnmoved`. */
export const matchEdgeWrite = (stack: StoredStack, selector: Selector): Write => ({
  table,
  put: {
    ...matchKey(stack.generator_id, selector, stack.id),
    type: 'match',
    ...(stack.latest_object && storedHead(stack.latest_object)),
  },
});

/** The condition that the stack still has the head that was read. */
export const headUnmoved = ({ latest_sequence }: StoredStack) =>
  latest_sequence === undefined ? { below: { latest_sequence: 0 } } : { equals: { latest_sequence } };

/** Copies a stack's head to its edges. May be repeated. */
export async function refreshMatchEdges(database: Database, stackId: string): Promise<void> {
  const [stack, own] = await Promise.all([findStack(database, stackId), findStackSelectors(database, stackId)]);
  const head = stack?.latest_object;
  if (!stack || !own || !head) return;
  const { sequence } = head;
  await writeEachEdge(database, stack, own.selectors, (key) => ({
    table,
    update: key,
    set: storedHead(head),
    ...(!head.is_deletion_marker && { remove: ['marker'] }),
    if: { exists: true, below: { sequence } },
  }));
}

/** Removes the edges of a stack that is gone. May be repeated. */
export const removeMatchEdges = (database: Database, stack: OwnedStack, selectors: readonly Selector[]): Promise<void> =>
  writeEachEdge(database, stack, selectors, (key) => ({ table, delete: key }));

type OwnedStack = Pick<StoredStack, 'id' | 'generator_id'>;

const writeEachEdge = (
  database: Database,
  { id, generator_id }: OwnedStack,
  selectors: readonly Selector[],
  writeOf: (key: Key) => Write,
): Promise<void> =>
  eachBounded(selectors, WRITES_AT_ONCE, (selector) => writeUnlessOvertaken(database, writeOf(matchKey(generator_id, selector, id))));

/** A write fails its condition if the edge was removed meanwhile or has a later head. Then nothing is left to do. */
async function writeUnlessOvertaken(database: Database, write: Write): Promise<void> {
  try {
    await database.write(write);
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
  }
}
