import * as z from 'zod';
import { type Database, type Item, queryAll, type Write } from '../../platform/database/database.ts';
import { organizationPk, projectEdgeKey, projectKey, projectPrefix, projectSlugKey } from '../accounts/accounts-table.ts';
import { dashboardError } from '../accounts/dashboard-errors.ts';
import { identityTable } from '../identity-table.ts';
import { ORGANIZATION_LIMITS } from '../organizations/organization.ts';
import { slugTaken } from '../organizations/organization-repository.ts';
import { StoredProject } from './project.ts';

const table = identityTable.name;

export const newProjectWrites = (project: StoredProject): Write[] => [
  {
    table,
    put: { ...projectSlugKey(project.organization_id, project.slug), type: 'project-slug', project_id: project.id } as Item,
    if: { exists: false },
    orElse: slugTaken,
  },
  { table, put: { ...projectKey(project.id), type: 'project', ...project } as Item, if: { exists: false } },
  { table, put: { ...projectEdgeKey(project.organization_id, project.id), type: 'project-edge', project_id: project.id } as Item },
];

export const changeProjectWrite = (before: StoredProject, change: Partial<StoredProject>): Write => ({
  table,
  update: projectKey(before.id),
  set: { ...change, version: before.version + 1 },
  if: { equals: { version: before.version } },
  orElse: () => dashboardError('VERSION_CONFLICT'),
});

export const removeProjectWrites = (before: StoredProject): Write[] => [
  {
    table,
    delete: projectKey(before.id),
    if: { equals: { version: before.version } },
    orElse: () => dashboardError('VERSION_CONFLICT'),
  },
  { table, delete: projectSlugKey(before.organization_id, before.slug) },
  { table, delete: projectEdgeKey(before.organization_id, before.id) },
];

export async function findProject(database: Database, id: string): Promise<StoredProject | undefined> {
  const item = await database.get(table, projectKey(id));
  return item && StoredProject.parse(item);
}

/** All projects of an organization, in no order. */
export async function listProjects(database: Database, organizationId: string): Promise<StoredProject[]> {
  const edges = await queryAll(database, table, {
    pk: organizationPk(organizationId),
    prefix: projectPrefix,
    limit: ORGANIZATION_LIMITS.projects,
  });
  const items = await database.batchGet(
    table,
    edges.map(({ project_id }) => projectKey(z.string().parse(project_id))),
  );
  return items.map((item) => StoredProject.parse(item));
}
