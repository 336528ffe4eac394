import { AppError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Database } from './database.ts';

/** Remembers whether the store can keep anything: on engines of one's own its disk may be full, read-only or broken. */
export interface StorageWatch {
  /** Why the last write could not be stored; undefined if it could. */
  failure(): string | undefined;
}

export interface StorageWatchOptions {
  log: Log;
  /** Where the store keeps its data, for the log. */
  storedIn: string | undefined;
}

/** How SQLite, inside the embedded engine and others, names what is the matter with its file. AWS's own store never says so. */
const REASONS: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/disk is full/, 'its disk is full'],
  [/readonly database/, 'its files are read-only'],
  [/disk I\/O error/, 'its disk fails'],
  [/unable to open database file/, 'its files cannot be opened'],
];

/** The same database, whose writes fail with a reason if the store's disk is what fails them. Costs nothing while they succeed. */
export function watchStorage<D extends Database>(
  database: D,
  { log, storedIn }: StorageWatchOptions,
): { database: D; storage: StorageWatch } {
  let failure: string | undefined;

  async function watched<T>(write: () => Promise<T>): Promise<T> {
    try {
      const stored = await write();
      if (failure !== undefined) log.info('storage_recovered', { stored_in: storedIn });
      failure = undefined;
      return stored;
    } catch (error) {
      const reason = reasonOf(error);
      if (reason === undefined) throw error;
      if (failure !== reason)
        log.error('storage_failed', { stored_in: storedIn, reason, advice: 'nothing can be stored until that is mended' });
      failure = reason;
      throw new AppError('unavailable', `the store can't keep any change: ${reason}`, { cause: error });
    }
  }

  return {
    database: {
      ...database,
      write: (write) => watched(() => database.write(write)),
      transact: (writes) => watched(() => database.transact(writes)),
    },
    storage: { failure: () => failure },
  };
}

function reasonOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return REASONS.find(([pattern]) => pattern.test(error.message))?.[1] ?? reasonOf(error.cause);
}
