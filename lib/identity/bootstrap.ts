import * as z from 'zod';
import type { Clock } from '../platform/clock.ts';
import { timestamp } from '../platform/clock.ts';
import { ConditionFailed, type Database, type Item, type Write } from '../platform/database/database.ts';
import { newId } from '../platform/ids.ts';
import { type Credential, findKeyHash, grantWrites } from './credentials.ts';
import { generatorNewWrites } from './generator-repository.ts';
import { bootstrapKey, identityTable } from './identity-table.ts';
import { mintPak } from './pak.ts';

/** The records that every installation has from its first start. */
export const Bootstrap = z.object({
  /** Every agent is registered with this generator. It is not a tenant and has no key. */
  system_generator_id: z.uuid(),
  /** The generator that owns the stacks of admins. */
  admin_generator_id: z.uuid(),
});
export type Bootstrap = z.infer<typeof Bootstrap>;

export interface FirstStart {
  bootstrap: Bootstrap;
  /** A new admin key, to be shown once. Present only on the first start, and only if the configuration has no admin key. */
  adminPak?: string;
}

const ADMIN: Credential = { principal_type: 'admin', principal_id: 'admin', credential_version: 1 };

/** Whether the store has an admin key, minted on the first start or later. */
export const isAdminKeyStored = async (database: Database): Promise<boolean> =>
  (await findKeyHash(database, ADMIN.principal_id)) !== undefined;

/** Sets up an empty store. If several processes try at the same time, one wins and the others read its result. Later it is one read. */
export async function bootstrap(ports: { database: Database; clock: Clock; mintAdminPak: boolean }): Promise<FirstStart> {
  const { database, clock, mintAdminPak } = ports;
  const found = await database.get(identityTable.name, bootstrapKey);
  if (found) return { bootstrap: Bootstrap.parse(found) };
  const value: Bootstrap = { system_generator_id: newId(), admin_generator_id: newId() };
  const minted = mintAdminPak ? mintPak() : undefined;
  const now = timestamp(clock);
  const generator = { created_at: now, updated_at: now, deleted_at: null, last_active_at: null, is_active: true, allowed_agent_ids: null };
  const writes: Write[] = [
    { table: identityTable.name, put: { ...bootstrapKey, type: 'bootstrap', ...value } as Item, if: { exists: false } },
    ...generatorNewWrites({
      ...generator,
      id: value.system_generator_id,
      name: '__system__',
      description: 'Every agent is registered here',
      is_system: true,
    }),
    ...generatorNewWrites({
      ...generator,
      id: value.admin_generator_id,
      name: 'admin-generator',
      description: 'Linked to Admin PAK',
      is_system: false,
    }),
    ...(minted ? grantWrites(ADMIN, minted.hash) : []),
  ];
  try {
    await database.transact(writes);
    return { bootstrap: value, ...(minted && { adminPak: minted.pak }) };
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
    return { bootstrap: Bootstrap.parse(await database.get(identityTable.name, bootstrapKey)) };
  }
}
