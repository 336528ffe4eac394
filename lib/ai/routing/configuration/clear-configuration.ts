import { type Database, type Item, queryAll } from '../../../platform/database/database.ts';
import { eachBounded } from '../../../platform/each-bounded.ts';
import { CONFIGURATION_LIMIT, configurationKey, configurationPk, gatewayTable } from '../../gateway-table.ts';

const table = gatewayTable.name;
const AT_ONCE = 25;

/** Removes all configuration of a removed organization, the sealed keys of its providers among it. May be repeated. */
export const clearOrganizationConfiguration = (database: Database, organizationId: string): Promise<void> =>
  clearEntries(database, organizationId, () => true);

/** Removes the configuration that is for a removed project or for its keys alone. May be repeated. */
export async function clearProjectConfiguration(
  database: Database,
  { organization_id, project_id }: { organization_id: string; project_id: string },
  keyIds: readonly string[],
): Promise<void> {
  const scopes = new Set([project_id, ...keyIds]);
  const policy = configurationKey(organization_id, 'POLICY', project_id).sk;
  await clearEntries(
    database,
    organization_id,
    ({ sk, project_id: only, scope_id }) => sk === policy || only === project_id || scopes.has(String(scope_id)),
  );
}

/** Removes the configuration that is for a revoked key alone. May be repeated. */
export const clearKeyConfiguration = (
  database: Database,
  { organization_id, key_id }: { organization_id: string; key_id: string },
): Promise<void> => clearEntries(database, organization_id, ({ scope_id }) => scope_id === key_id);

async function clearEntries(database: Database, organizationId: string, goes: (entry: Item) => boolean): Promise<void> {
  // Entries that were made at the same moment may exceed the limit.
  const entries = await queryAll(database, table, { pk: configurationPk(organizationId), limit: 2 * CONFIGURATION_LIMIT });
  await eachBounded(entries.filter(goes), AT_ONCE, ({ pk, sk }) => database.write({ table, delete: { pk, sk } }));
}
