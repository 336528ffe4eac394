import { ConditionFailed, type Database, type Key, type Write } from '../../platform/database/database.ts';
import { eachBounded } from '../../platform/each-bounded.ts';
import { fleetTable, matchKey, type Selector } from '../fleet-table.ts';
import { findStack, type StackRecord } from '../stacks/stack-repository.ts';
import { storedHead } from '../stacks/stored-head.ts';
import { findStackSelectors } from './selection.ts';

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
  const [stack, own] = await Promise.all([findStack(database, stackId), findStackSelectors(database, stackId)]);
  const head = stack?.latest_object;
  if (!stack || !own || !head) return;
  const { sequence } = head;
  await eachEdge(database, stack, own.selectors, (key) => ({
    table,
    update: key,
    set: storedHead(head),
    ...(!head.is_deletion_marker && { remove: ['marker'] }),
    if: { exists: true, below: { sequence } },
  }));
}

/** Removes the edges of a stack that is gone. May be repeated. */
export const removeMatchEdges = (database: Database, stack: OwnedStack, selectors: readonly Selector[]): Promise<void> =>
  eachEdge(database, stack, selectors, (key) => ({ table, delete: key }));

type OwnedStack = Pick<StackRecord, 'id' | 'generator_id'>;

const eachEdge = (
  database: Database,
  { id, generator_id }: OwnedStack,
  selectors: readonly Selector[],
  writeOf: (key: Key) => Write,
): Promise<void> =>
  eachBounded(selectors, WRITES_AT_ONCE, (selector) => writeUnlessOvertaken(database, writeOf(matchKey(generator_id, selector, id))));

/** The edge was removed meanwhile, or has a later head. */
async function writeUnlessOvertaken(database: Database, write: Write): Promise<void> {
  try {
    await database.write(write);
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
  }
}
