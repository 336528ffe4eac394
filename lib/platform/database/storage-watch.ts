import { AppError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Database } from './database.ts';

/** Remembers whether the store can store anything: the disk of a self-hosted engine may be full, read-only or broken. */
export interface StorageWatch {
  /** Why the last write could not be stored; undefined if it could. */
  failure(): string | undefined;
}

export interface StorageWatchOptions {
  log: Log;
  /** Where the store keeps its data, for the log. */
  storedIn: string | undefined;
}

/** SQLite's messages about its file, as the embedded engine passes them on. AWS's own store never sends them. */
const REASONS: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/disk is full/, 'its disk is full'],
  [/readonly database/, 'its files are read-only'],
  [/disk I\/O error/, 'its disk fails'],
  [/unable to open database file/, 'its files cannot be opened'],
];

/** Returns the same database; if a write fails because of the store's disk, its error names that reason. */
export function watchStorage<D extends Database>(
  database: D,
  { log, storedIn }: StorageWatchOptions,
): { database: D; storage: StorageWatch } {
  let failure: string | undefined;

  async function watchWrite<T>(write: () => Promise<T>): Promise<T> {
    try {
      const stored = await write();
      if (failure !== undefined) log.info('storage_recovered', { stored_in: storedIn });
      failure = undefined;
      return stored;
    } catch (error) {
      const reason = reasonOf(error);
      if (reason === undefined) throw error;
      if (failure !== reason)
        log.error('storage_failed', { stored_in: storedIn, reason, advice: 'repair it; nothing can be stored until then' });
      failure = reason;
      throw new AppError('unavailable', `the store cannot store anything: ${reason}`, { cause: error });
    }
  }

  return {
    database: {
      ...database,
      write: (write) => watchWrite(() => database.write(write)),
      putAll: (puts) => watchWrite(() => database.putAll(puts)),
      transact: (writes) => watchWrite(() => database.transact(writes)),
    },
    storage: { failure: () => failure },
  };
}

function reasonOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return REASONS.find(([pattern]) => pattern.test(error.message))?.[1] ?? reasonOf(error.cause);
}
