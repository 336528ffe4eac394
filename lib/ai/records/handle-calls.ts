import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/database/database.ts';
import type { CallRecord } from './call-record.ts';
import { addRollups } from './rollups/add-rollups.ts';
import { storeCalls } from './store-calls.ts';

export interface CallRecordPorts {
  database: Database;
  clock: Clock;
  retentionDays: number;
  /** Notes when keys were used, at most once a minute for each. */
  noteKeyUse(uses: ReadonlyMap<string, number>): Promise<void>;
}

/** Stores what is known about a batch of calls, and counts it. A second time changes nothing. */
export async function handleCalls(ports: CallRecordPorts, batch: { id: string; records: readonly CallRecord[] }): Promise<void> {
  const { database, clock, retentionDays, noteKeyUse } = ports;
  const uses = new Map<string, number>();
  for (const { api_key_id, started_ms } of batch.records) uses.set(api_key_id, Math.max(started_ms, uses.get(api_key_id) ?? 0));
  await Promise.all([storeCalls(database, batch.records, retentionDays), addRollups(database, batch, clock.nowMs()), noteKeyUse(uses)]);
}
