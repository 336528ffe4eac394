import type { Database } from '../lib/platform/database/database.ts';
import { createDatabase } from '../lib/platform/database/document-client.ts';
import { type StorageWatch, watchStorage } from '../lib/platform/database/storage-watch.ts';
import { oncePerRuntime, type Runtime } from './runtime.ts';

/** The name of a table or queue in the account. */
export const physicalNames =
  ({ config }: Runtime) =>
  (name: string): string =>
    `${config.BROKKR_PREFIX}-${name}`;

export interface Store {
  database: Database;
  storage: StorageWatch;
  close(): void;
}

/** This process's client of the store, which connects at its first call. */
export const store = oncePerRuntime((runtime): Store => {
  const { config, clock, log, storedIn, storeTransport, plainReads, embeddedStore = false, onConsumed } = runtime;
  const client = createDatabase({
    tableName: physicalNames(runtime),
    clock,
    withoutTokens: embeddedStore,
    ...(config.AWS_REGION !== undefined && { region: config.AWS_REGION }),
    ...(config.DYNAMODB_ENDPOINT !== undefined && { endpoint: config.DYNAMODB_ENDPOINT }),
    ...(storeTransport && { transport: storeTransport }),
    ...(plainReads && { plainReads }),
    ...(onConsumed && { onConsumed }),
  });
  return { ...watchStorage(client, { log, storedIn }), close: client.close };
});
