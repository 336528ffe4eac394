import * as z from 'zod';
import { type Database, type Item, queryAll, type Write } from '../../platform/database/database.ts';
import { expiresAt } from '../../platform/database/table.ts';
import { apiKeyKey, keyEdgeKey, keyEdgePrefix, keyIdKey, keyNameKey, projectKey, projectPk } from '../accounts/accounts-table.ts';
import { dashboardError } from '../accounts/dashboard-errors.ts';
import { identityTable } from '../identity-table.ts';
import { StoredApiKey } from './api-key.ts';

const table = identityTable.name;
export const KEYS_OF_A_PROJECT = 200;
/** How long a revoked key is told from an unknown one. */
const REVOKED_DAYS = 30;

const nameTaken = () => dashboardError('NAME_ALREADY_EXISTS', { message: 'name: is taken in this project', details: { field: 'name' } });
const keyGone = () => dashboardError('API_KEY_NOT_FOUND');
const nameWrite = ({ project_id, id }: StoredApiKey, name: string): Write => ({
  table,
  put: { ...keyNameKey(project_id, name), type: 'key-name', key_id: id } as Item,
  if: { exists: false },
  orElse: nameTaken,
});

/** The writes for a new key. They fail if the project is gone or the name is taken. */
export const newKeyWrites = (key: StoredApiKey): Write[] => [
  { table, check: projectKey(key.project_id), if: { exists: true }, orElse: () => dashboardError('PROJECT_NOT_FOUND') },
  nameWrite(key, key.name),
  { table, put: { ...apiKeyKey(key.hash), type: 'api-key', ...key } as Item, if: { exists: false } },
  { table, put: { ...keyIdKey(key.id), type: 'api-key-id', hash: key.hash } as Item, if: { exists: false } },
  { table, put: { ...keyEdgeKey(key.project_id, key.id), type: 'api-key-edge', hash: key.hash } as Item },
];

export const changeKeyWrites = (before: StoredApiKey, change: Partial<StoredApiKey>): Write[] => [
  {
    table,
    update: apiKeyKey(before.hash),
    set: { ...change, version: before.version + 1 },
    if: { equals: { version: before.version } },
    orElse: () => dashboardError('VERSION_CONFLICT'),
  },
  ...(change.name === undefined || change.name === before.name
    ? []
    : [nameWrite(before, change.name), { table, delete: keyNameKey(before.project_id, before.name) }]),
];

/** The writes that revoke a key. They fail with API_KEY_NOT_FOUND if it is revoked already. */
export const revokeKeyWrites = (key: StoredApiKey, nowMs: number): Write[] => [
  { table, delete: keyIdKey(key.id), if: { exists: true }, orElse: keyGone },
  { table, delete: keyEdgeKey(key.project_id, key.id) },
  { table, delete: keyNameKey(key.project_id, key.name) },
  {
    table,
    update: apiKeyKey(key.hash),
    set: { status: 'revoked', version: key.version + 1, expires_at: expiresAt(nowMs, REVOKED_DAYS) },
    if: { equals: { name: key.name } },
    orElse: () => dashboardError('VERSION_CONFLICT'),
  },
];

export async function findKeyByHash(database: Database, hash: string): Promise<StoredApiKey | undefined> {
  const item = await database.get(table, apiKeyKey(hash));
  return item && StoredApiKey.parse(item);
}

/** A key that is not revoked. */
export async function findKeyById(database: Database, id: string): Promise<StoredApiKey | undefined> {
  const pointer = await database.get(table, keyIdKey(id));
  return pointer && findKeyByHash(database, z.string().parse(pointer.hash));
}

export async function listKeys(database: Database, projectId: string): Promise<StoredApiKey[]> {
  const edges = await queryAll(database, table, { pk: projectPk(projectId), prefix: keyEdgePrefix, limit: 2 * KEYS_OF_A_PROJECT });
  const items = await database.batchGet(
    table,
    edges.map(({ hash }) => apiKeyKey(z.string().parse(hash))),
  );
  return items.map((item) => StoredApiKey.parse(item)).filter(({ status }) => status !== 'revoked');
}
