import type * as z from 'zod';
import { dashboardError } from '../../../identity/accounts/dashboard-errors.ts';
import { type Database, type Item, queryAll, type Write } from '../../../platform/database/database.ts';
import {
  CONFIGURATION_LIMIT,
  type ConfigurationKind,
  configurationKey,
  configurationPk,
  configurationPrefix,
  gatewayTable,
} from '../../gateway-table.ts';

const table = gatewayTable.name;

/** Where an entry stands in its organization's configuration. */
export interface Place {
  organization_id: string;
  kind: ConfigurationKind;
  id: string;
}

/** Reads one entry, or nothing. */
export async function findEntry<S extends z.ZodType>(
  database: Database,
  { organization_id, kind, id }: Place,
  schema: S,
): Promise<z.output<S> | undefined> {
  const found = await database.get(table, configurationKey(organization_id, kind, id));
  return found && schema.parse(found);
}

export async function listEntries<S extends z.ZodType>(
  database: Database,
  { organization_id, kind }: Omit<Place, 'id'>,
  schema: S,
): Promise<z.output<S>[]> {
  const query = { pk: configurationPk(organization_id), prefix: configurationPrefix(kind), limit: CONFIGURATION_LIMIT };
  return (await queryAll(database, table, query)).map((found) => schema.parse(found));
}

const item = ({ organization_id, kind, id }: Place, entry: object): Item => ({
  ...entry,
  ...configurationKey(organization_id, kind, id),
  type: kind.toLowerCase(),
});

export const newEntryWrite = (place: Place, entry: object, taken: () => Error): Write => ({
  table,
  put: item(place, entry),
  if: { exists: false },
  orElse: taken,
});
/** Stores the entry, whether there was one or not. */
export const setEntryWrite = (place: Place, entry: object): Write => ({ table, put: item(place, entry) });
const changedMeanwhile = () => dashboardError('VERSION_CONFLICT');
/** These writes fail if the entry was changed since it was read. */
export const changeEntryWrite = (place: Place, before: { version: number }, after: object): Write => ({
  table,
  put: item(place, { ...after, version: before.version + 1 }),
  if: { equals: { version: before.version } },
  orElse: changedMeanwhile,
});
export const removeEntryWrite = ({ organization_id, kind, id }: Place, gone: () => Error): Write => ({
  table,
  delete: configurationKey(organization_id, kind, id),
  if: { exists: true },
  orElse: gone,
});

/** Refuses a further entry beyond the limit. Two callers at once may pass it by one, which no reader minds. */
export async function checkRoom(database: Database, organizationId: string): Promise<void> {
  if ((await database.count(table, configurationPk(organizationId))) < CONFIGURATION_LIMIT) return;
  const message = `an organization has at most ${CONFIGURATION_LIMIT} providers, groups, prices and budgets`;
  throw dashboardError('LIMIT_REACHED', { message });
}
