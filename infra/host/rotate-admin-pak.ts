import { existsSync } from 'node:fs';
import { compose } from '../../functions/app.ts';
import { tables } from '../../functions/registry.ts';
import { createRuntime } from '../../functions/runtime.ts';
import { findKeyHash, grantWrites, rotateWrites } from '../../lib/identity/credentials.ts';
import { mintPak } from '../../lib/identity/pak.ts';
import { dynamoDbClient } from '../../lib/platform/database/dynamodb-client.ts';
import { createTables } from './engines/create-tables.ts';
import { engineFailure, isEmbedded, startEngines, storeFile } from './engines/engines.ts';
import type { HostOptions } from './start-host.ts';

const ADMIN = { principal_type: 'admin', principal_id: 'admin', credential_version: 1 } as const;

/**
 * Replaces the admin key of an existing store. Resolves to the new key, which is stored nowhere. The old key, if any, is revoked in the
 * same transaction; another host on the same store refuses it within five seconds. The key of BROKKR_ADMIN_PAK_HASH is not changed.
 */
export async function rotateAdminPak(
  options: Pick<HostOptions, 'config' | 'configuredBySdk' | 'dataDir' | 'log'>,
): Promise<{ pak: string; replaced: boolean }> {
  const { config, dataDir, configuredBySdk, log } = options;
  if (isEmbedded('dynamodb', config, configuredBySdk)) {
    if (dataDir === undefined) throw new Error('--rotate-admin-pak cannot be used with --ephemeral, which keeps no store');
    if (!existsSync(storeFile(dataDir))) {
      throw new Error(
        `there is no store in ${dataDir}, so there is no admin key to replace: check BROKKR_DATA_DIR; a first start makes a key`,
      );
    }
  }
  const engines = await startEngines(config, { dataDir, configuredBySdk });
  try {
    const { DYNAMODB_ENDPOINT: endpoint, AWS_REGION: region, BROKKR_PREFIX } = engines.config;
    const client = dynamoDbClient({ ...(endpoint !== undefined && { endpoint }), ...(region !== undefined && { region }) });
    await createTables(client, tables, (name) => `${BROKKR_PREFIX}-${name}`)
      .catch(engineFailure('dynamodb', config, configuredBySdk))
      .finally(() => client.destroy());
    const app = await compose(createRuntime(engines.config, { ...(log && { log }) }));
    try {
      const { database, commit } = app.services;
      const old = await findKeyHash(database, ADMIN.principal_id);
      const { pak, hash } = mintPak();
      await commit({
        writes: old === undefined ? grantWrites(ADMIN, hash) : rotateWrites(ADMIN, old, hash),
        audit: { actor: { principal: { type: 'system' } }, action: 'pak.rotated', resourceType: 'system', details: { principal: 'admin' } },
      });
      return { pak, replaced: old !== undefined };
    } finally {
      await app.close();
    }
  } finally {
    await engines.stop();
  }
}
