import type { Database } from '../../platform/database/database.ts';
import { planOf } from '../accounts/plans.ts';
import { findOrganization } from '../organizations/organization-repository.ts';
import type { StoredProject } from './project.ts';
import { findProject } from './project-repository.ts';

/** The part of a project's settings that identity keeps. */
export type ProjectFacts = Pick<StoredProject, 'organization_id' | 'cache' | 'capture' | 'redact'> & {
  plan: string;
  requests_per_minute: number;
  /** Neither the project nor its organization is paused. */
  active: boolean;
};

/** Two read units. Undefined if the project or its organization is gone. */
export async function findProjectFacts(database: Database, projectId: string): Promise<ProjectFacts | undefined> {
  const project = await findProject(database, projectId);
  const organization = project && (await findOrganization(database, project.organization_id));
  if (!organization) return undefined;
  const { organization_id, cache, capture, redact } = project;
  return {
    organization_id,
    cache,
    capture,
    redact,
    plan: organization.plan,
    requests_per_minute: organization.requests_per_minute ?? planOf(organization.plan).requests_per_minute,
    active: project.status === 'active' && organization.status === 'active',
  };
}
