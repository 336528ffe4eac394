import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * One host per data folder: the queue engine keeps its messages in memory and would overwrite another's. A SQLite file held in an
 * exclusive transaction is a lock which the operating system takes back when its holder dies, however it dies.
 */
export function lockDataDir(dataDir: string): { release(): void } {
  const lock = new DatabaseSync(join(dataDir, 'host.lock'));
  try {
    lock.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
  } catch (cause) {
    lock.close();
    throw new Error(`another host is using ${dataDir}: stop it first, or give this one another BROKKR_DATA_DIR`, { cause });
  }
  return { release: () => lock.close() };
}
