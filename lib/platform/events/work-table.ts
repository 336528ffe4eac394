import type { Table } from '../database/table.ts';

/** The work table: what is on its way. Today the outbox (`OUTBOX#<shard>` | `<time>#<id>`, see outbox.ts). */
export const workTable: Table = { name: 'work', timeToLive: true };
