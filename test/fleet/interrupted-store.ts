import type { Database, Write } from '../../lib/platform/database/database.ts';

/** Runs `happens` right before the next transaction that writes an item of this type, as if another process did it. */
export function justBefore(database: Database, type: string, happens: () => Promise<unknown>): void {
  const { transact } = database;
  database.transact = async (writes: readonly Write[]) => {
    if (writes.some((write) => ('put' in write ? write.put.type === type : JSON.stringify(write).includes(type)))) {
      database.transact = transact;
      await happens();
    }
    return transact(writes);
  };
}
