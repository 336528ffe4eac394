import * as z from 'zod';
import type { Commit } from '../../platform/database/commit.ts';
import { type Database, type Item, queryAll } from '../../platform/database/database.ts';
import { eachBounded } from '../../platform/each-bounded.ts';
import { apiKeyKey, keyEdgePrefix, keyIdKey, membershipKey, organizationPk, projectKey, projectPk } from '../accounts/accounts-table.ts';
import { identityTable } from '../identity-table.ts';
import { announceRemoval } from './account-removed.ts';

const table = identityTable.name;
const AT_ONCE = 25;
/** More than an organization or a project can have: see ORGANIZATION_LIMITS and KEYS_OF_A_PROJECT. */
const MOST_ITEMS = 5_000;

/** The ids of a project's keys, also of a removed one whose remains are not cleared away yet. */
export async function keysOfProject(database: Database, projectId: string): Promise<string[]> {
  const edges = await queryAll(database, table, { pk: projectPk(projectId), prefix: keyEdgePrefix, limit: MOST_ITEMS });
  return edges.map(({ sk }) => sk.slice(keyEdgePrefix.length));
}

/**
 * Removes what a removed project leaves: its keys. May be repeated: each edge goes after the items that it leads to, so that a crash leaves
 * nothing that can't be found.
 */
export async function clearProject(database: Database, projectId: string): Promise<void> {
  const items = await queryAll(database, table, { pk: projectPk(projectId), limit: MOST_ITEMS });
  await eachBounded(items, AT_ONCE, async (item) => {
    if (item.type === 'api-key-edge') {
      await database.write({ table, delete: apiKeyKey(text(item.hash)) });
      await database.write({ table, delete: keyIdKey(item.sk.slice(keyEdgePrefix.length)) });
    }
    await remove(database, item);
  });
}

/**
 * Removes what a removed organization leaves: members, invitations and projects. What a project leaves is announced, because the projects of
 * one organization may have 100,000 keys together. May be repeated.
 */
export async function clearOrganization(database: Database, commit: Commit<never>, organizationId: string): Promise<void> {
  const items = await queryAll(database, table, { pk: organizationPk(organizationId), limit: MOST_ITEMS });
  await eachBounded(items, AT_ONCE, async (item) => {
    if (item.type === 'member') await database.write({ table, delete: membershipKey(text(item.user_id), organizationId) });
    if (item.type === 'project-edge') {
      const project_id = text(item.project_id);
      await commit({
        writes: [{ table, delete: projectKey(project_id) }],
        audit: { unaudited: "follows from the organization's removal" },
        events: [announceRemoval({ kind: 'project', organization_id: organizationId, project_id })],
      });
    }
    await remove(database, item);
  });
}

const text = (value: unknown): string => z.string().parse(value);
const remove = (database: Database, { pk, sk }: Item) => database.write({ table, delete: { pk, sk } });
