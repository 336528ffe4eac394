import { type Database, type Item, queryAll, type Write } from '../../../platform/database/database.ts';
import { CONFIGURATION_LIMIT, configurationKey, configurationPk, configurationPrefix, gatewayTable } from '../../gateway-table.ts';
import { StoredProvider } from './provider-config.ts';

const table = gatewayTable.name;
const keyFor = ({ organization_id, id }: StoredProvider) => configurationKey(organization_id, 'PROVIDER', id);
const item = (provider: StoredProvider): Item => ({ ...keyFor(provider), type: 'provider', ...provider });

export const providerNewWrite = (provider: StoredProvider, taken: () => Error): Write => ({
  table,
  put: item(provider),
  if: { exists: false },
  orElse: taken,
});

/** These writes fail if the provider was changed since it was read. */
export const providerUpdateWrite = (before: StoredProvider, after: StoredProvider, changed: () => Error): Write => ({
  table,
  put: item({ ...after, version: before.version + 1 }),
  if: { equals: { version: before.version } },
  orElse: changed,
});
export const providerRemoveWrite = (before: StoredProvider, changed: () => Error): Write => ({
  table,
  delete: keyFor(before),
  if: { equals: { version: before.version } },
  orElse: changed,
});

export async function findProvider(database: Database, organizationId: string, id: string): Promise<StoredProvider | undefined> {
  const found = await database.get(table, configurationKey(organizationId, 'PROVIDER', id));
  return found && StoredProvider.parse(found);
}

export async function listProviders(database: Database, organizationId: string): Promise<StoredProvider[]> {
  const query = { pk: configurationPk(organizationId), prefix: configurationPrefix('PROVIDER'), limit: CONFIGURATION_LIMIT };
  return (await queryAll(database, table, query)).map((found) => StoredProvider.parse(found));
}
