import { timestamp } from '../../platform/clock.ts';
import type { AccountPorts, Caller } from '../accounts/account-ports.ts';
import { dashboardError } from '../accounts/dashboard-errors.ts';
import { retryConflicts } from '../accounts/retry-conflicts.ts';
import { projectAtFirst, withSlug } from '../organizations/new-organization.ts';
import type { StoredOrganization } from '../organizations/organization.ts';
import { checkRoom, countWrite, findOrganization } from '../organizations/organization-repository.ts';
import { announceRemoval } from '../removal/account-removed.ts';
import type { Project, ProjectCache, StoredProject } from './project.ts';
import { changeProjectWrite, findProject, newProjectWrites, removeProjectWrites } from './project-repository.ts';

export interface NewProject {
  name: string;
  slug?: string | undefined;
  description?: string | null | undefined;
}

export const createProject = (ports: AccountPorts, caller: Caller, organizationId: string, input: NewProject): Promise<StoredProject> =>
  retryConflicts(async () => {
    const organization = await existingOrganization(ports, organizationId);
    checkRoom(organization, 'projects');
    const nowMs = ports.clock.nowMs();
    return withSlug(input.name, input.slug, nowMs, async (slug) => {
      const { name, description = null } = input;
      const facts = { organization_id: organizationId, name, slug, description, created_by: caller.principal.user_id };
      const answer = projectAtFirst(facts, nowMs);
      await ports.commit({
        writes: [...newProjectWrites(answer), countWrite(organization, { projects: 1 })],
        answer,
        audit: audited(caller, 'project.created', answer),
      });
      return answer;
    });
  });

export interface ProjectChange {
  name?: string | undefined;
  description?: string | null | undefined;
  status?: Project['status'] | undefined;
  /** The members that are given change, the others stay. */
  cache?: { [name in keyof ProjectCache]?: ProjectCache[name] | undefined } | undefined;
  capture?: Project['capture'] | undefined;
  redact?: string[] | undefined;
}

/** Changes the members that are given. Instances that have the project in memory see it within five seconds. */
export const updateProject = (ports: AccountPorts, caller: Caller, id: string, change: ProjectChange): Promise<StoredProject> =>
  retryConflicts(async () => {
    const before = await existingProject(ports, id);
    const given = Object.fromEntries(Object.entries(change.cache ?? {}).filter(([, value]) => value !== undefined));
    const { name = before.name, description = before.description, status = before.status } = change;
    const { capture = before.capture, redact = before.redact } = change;
    const cache: ProjectCache = { ...before.cache, ...given };
    const set = { name, description, status, cache, capture, redact, updated_at: timestamp(ports.clock) };
    await ports.commit({
      writes: [changeProjectWrite(before, set)],
      audit: audited(caller, 'project.updated', before, { changed: Object.keys(change) }),
    });
    return { ...before, ...set };
  });

/** Removes a project. Its keys are refused within five seconds, and cleared away within minutes. */
export const removeProject = (ports: AccountPorts, caller: Caller, id: string): Promise<void> =>
  retryConflicts(async () => {
    const before = await existingProject(ports, id);
    const organization = await existingOrganization(ports, before.organization_id);
    await ports.commit({
      writes: [...removeProjectWrites(before), countWrite(organization, { projects: -1 })],
      audit: audited(caller, 'project.deleted', before),
      events: [announceRemoval({ kind: 'project', organization_id: before.organization_id, project_id: id })],
    });
  });

async function existingProject({ database }: AccountPorts, id: string): Promise<StoredProject> {
  const project = await findProject(database, id);
  if (!project) throw dashboardError('PROJECT_NOT_FOUND');
  return project;
}

async function existingOrganization({ database }: AccountPorts, id: string): Promise<StoredOrganization> {
  const organization = await findOrganization(database, id);
  if (!organization) throw dashboardError('ORG_NOT_FOUND');
  return organization;
}

const audited = (caller: Caller, action: string, project: StoredProject, details: Record<string, unknown> = {}) => ({
  actor: caller,
  action,
  resourceType: 'project',
  resourceId: project.id,
  details: { name: project.name, organization_id: project.organization_id, ...details },
});
