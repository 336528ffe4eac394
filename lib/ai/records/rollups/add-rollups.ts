import type { Database, Write } from '../../../platform/database/database.ts';
import { expiresAt } from '../../../platform/database/table.ts';
import { AlreadyHandled, handledMark } from '../../../platform/events/handled-mark.ts';
import { workTable } from '../../../platform/events/work-table.ts';
import type { CallRecord } from '../call-record.ts';
import { CALL_RECORDS_QUEUE } from '../calls-answered.ts';
import { foldRecords, type RollupGroup } from './fold-records.ts';
import { GRAINS, rollupKey, rollupTable } from './rollup-table.ts';

/** A transaction holds a hundred writes, one of which is the mark. */
const ROWS = 90;

/**
 * Adds a batch to the rollups. Each transaction contains a mark of its part of the batch, so that a batch that is delivered again adds
 * nothing, also if it was added in part before.
 */
export async function addRollups(database: Database, batch: { id: string; records: readonly CallRecord[] }, nowMs: number): Promise<void> {
  const groups = foldRecords(batch.records);
  for (let start = 0; start < groups.length; start += ROWS) {
    const mark = handledMark(workTable.name, { queue: CALL_RECORDS_QUEUE, eventId: `${batch.id}#${start / ROWS}`, nowMs });
    try {
      await database.transact([mark, ...groups.slice(start, start + ROWS).map(rowWrite)]);
    } catch (error) {
      if (!(error instanceof AlreadyHandled)) throw error;
    }
  }
}

const rowWrite = ({ project_id, organization_id, grain, dimension, value, startMs, add }: RollupGroup): Write => ({
  table: rollupTable.name,
  update: rollupKey(project_id, grain, dimension, startMs, value),
  set: { type: 'rollup', organization_id, value, start_ms: startMs, expires_at: expiresAt(startMs, GRAINS[grain].days) },
  add,
});
