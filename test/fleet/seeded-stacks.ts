import { stackKey, stackLabelKey, stackSelectorsKey } from '../../lib/fleet/fleet-table.ts';
import { StoredStack } from '../../lib/fleet/stacks/stack-repository.ts';
import { matchEdgeWrite } from '../../lib/fleet/targeting/match-edges.ts';
import type { Database, Write } from '../../lib/platform/database/database.ts';
import { newId } from '../../lib/platform/ids.ts';

/** Stacks with a head and one label, written as the product stores them: thousands in seconds. Their deployment objects don't exist. */
export async function seedStacks(database: Database, generatorId: string, label: string, count: number): Promise<string[]> {
  const now = '2026-01-01T00:00:00.000Z';
  const ids = Array.from({ length: count }, () => newId());
  const writesOf = (id: string): Write[] => {
    const latest = { object_id: newId(), sequence: 1_767_225_600_000_000, checksum: 'ab'.repeat(32), is_deletion_marker: false };
    const stack = StoredStack.parse({
      ...{ id, created_at: now, updated_at: now, deleted_at: null, name: `stack-${id}`, description: null, generator_id: generatorId },
      ...{ version: 1, label_count: 1, object_count: 1, latest_sequence: latest.sequence, latest_object: latest },
    });
    return [
      { table: 'fleet', put: { ...stackKey(id), type: 'stack', ...stack } },
      {
        table: 'fleet',
        put: { ...stackSelectorsKey(id), type: 'stack-selectors', generator_id: generatorId, changes: 1, [`label:${label}`]: true },
      },
      { table: 'fleet', put: { ...stackLabelKey(id, label), type: 'stack-label', id: newId(), stack_id: id, label } },
      matchEdgeWrite(stack, { label }),
    ];
  };
  const batches = Array.from({ length: Math.ceil(count / 25) }, (_, n) => ids.slice(n * 25, n * 25 + 25));
  for (let from = 0; from < batches.length; from += 4)
    await Promise.all(batches.slice(from, from + 4).map((batch) => database.transact(batch.flatMap(writesOf))));
  return ids;
}
