import * as z from 'zod';
import { Description, nameOf, Slug, Ulid } from '../../lib/identity/accounts/account-schemas.ts';
import type { Permission } from '../../lib/identity/accounts/roles.ts';
import { Capture, JsonPointer, Project, ProjectCache, ProjectStatus, type StoredProject } from '../../lib/identity/projects/project.ts';
import { listProjects } from '../../lib/identity/projects/project-repository.ts';
import { createProject, type NewProject, removeProject, updateProject } from '../../lib/identity/projects/project-service.ts';
import { type Reply, reply } from '../../lib/platform/http/endpoint.ts';
import {
  API,
  callerOf,
  checkMeant,
  type DashboardContext,
  dashboardEndpoint,
  dashboardFunction,
  inOrganization,
  inProject,
  OrganizationParams,
  once,
  ProjectParams,
  SOMETHING,
  signedIn,
} from './dashboard-endpoint.ts';
import { pagedAnswer, SearchQuery } from './paged-answer.ts';

const tag = 'projects';
const Name = nameOf(2, 100);
const ListQuery = SearchQuery.extend({ status: ProjectStatus.optional() });
const NewProjectBody = z.object({ name: Name, slug: Slug.optional(), description: Description.nullish() }).meta({ id: 'NewProject' });
const ProjectChange = z
  .strictObject({
    name: Name,
    description: Description.nullable(),
    status: ProjectStatus,
    cache: ProjectCache.partial(),
    capture: Capture,
    redact: z.array(JsonPointer).max(100),
  })
  .partial()
  .refine((change) => Object.keys(change).length > 0, SOMETHING)
  .meta({ id: 'ProjectChange' });

const CREATE_ERRORS = ['ORG_NOT_FOUND', 'NAME_ALREADY_EXISTS', 'LIMIT_REACHED', 'VERSION_CONFLICT', 'IDEMPOTENCY_CONFLICT'] as const;

async function projectPage(
  context: DashboardContext,
  organizationId: string,
  query: z.infer<typeof ListQuery>,
): Promise<Reply<StoredProject[]>> {
  const projects = await listProjects(context.services.database, organizationId);
  return pagedAnswer(
    projects.filter(({ status }) => query.status === undefined || status === query.status),
    query,
  );
}
async function made(context: DashboardContext, organizationId: string, input: NewProject): Promise<Reply<StoredProject>> {
  const project = await once(context, { organizationId, input }, (services) =>
    createProject(services, callerOf(context), organizationId, input),
  );
  return reply({ body: project, headers: { location: `${API}/projects/${project.id}` } });
}
/** The organization that a request to /projects means. */
const meant = async (context: DashboardContext, permission: Permission, given: string | undefined): Promise<string> =>
  (await checkMeant(context, permission, { organization_id: given ?? context.request.headers['x-organization-id'] })).organization.id;

export const projectEndpoints = [
  dashboardEndpoint({
    id: 'list_organization_projects',
    method: 'GET',
    path: `${API}/organizations/{org_id}/projects`,
    summary: 'List the projects of an organization',
    tag,
    ...inOrganization('projects:read'),
    params: OrganizationParams,
    query: ListQuery,
    status: 200,
    response: z.array(Project),
    errors: ['ORG_NOT_FOUND'],
    handle: (context, { params, query }) => projectPage(context, params.org_id, query),
  }),
  dashboardEndpoint({
    id: 'create_organization_project',
    method: 'POST',
    path: `${API}/organizations/{org_id}/projects`,
    summary: 'Create a project',
    description: 'Takes an `Idempotency-Key`.',
    tag,
    ...inOrganization('projects:write'),
    params: OrganizationParams,
    body: NewProjectBody,
    status: 201,
    response: Project,
    errors: CREATE_ERRORS,
    handle: (context, { params, body }) => made(context, params.org_id, body),
  }),
  dashboardEndpoint({
    id: 'list_projects',
    method: 'GET',
    path: `${API}/projects`,
    summary: 'List the projects of an organization',
    description: 'The organization in the query, else X-Organization-ID, else your default one.',
    tag,
    access: { ...signedIn, who: 'projects:read in the organization that the request means' },
    query: ListQuery.extend({ organization_id: Ulid.optional() }),
    status: 200,
    response: z.array(Project),
    errors: ['ORG_NOT_FOUND'],
    handle: async (context, { query }) => projectPage(context, await meant(context, 'projects:read', query.organization_id), query),
  }),
  dashboardEndpoint({
    id: 'create_project',
    method: 'POST',
    path: `${API}/projects`,
    summary: 'Create a project',
    description: 'In the organization of the body, else of X-Organization-ID, else in your default one. Takes an `Idempotency-Key`.',
    tag,
    access: { ...signedIn, who: 'projects:write in the organization that the request means' },
    body: NewProjectBody.extend({ organization_id: Ulid.optional() }).meta({ id: 'NewProjectAnywhere' }),
    status: 201,
    response: Project,
    errors: CREATE_ERRORS,
    handle: async (context, { body: { organization_id, ...input } }) =>
      made(context, await meant(context, 'projects:write', organization_id), input),
  }),
  dashboardEndpoint({
    id: 'get_project',
    method: 'GET',
    path: `${API}/projects/{project_id}`,
    summary: 'Fetch a project',
    tag,
    ...inProject('projects:read'),
    params: ProjectParams,
    status: 200,
    response: Project,
    errors: ['PROJECT_NOT_FOUND'],
    handle: async (_context, { authorized }) => authorized.project,
  }),
  dashboardEndpoint({
    id: 'update_project',
    method: 'PATCH',
    alsoBy: ['PUT'],
    path: `${API}/projects/{project_id}`,
    summary: 'Change a project',
    description:
      'Changes the members that are given, inside `cache` too. The keys of a project that is paused or archived are refused with 403.',
    tag,
    ...inProject('projects:write'),
    params: ProjectParams,
    body: ProjectChange,
    status: 200,
    response: Project,
    errors: ['PROJECT_NOT_FOUND', 'VERSION_CONFLICT'],
    handle: (context, { params, body }) => updateProject(context.services, callerOf(context), params.project_id, body),
  }),
  dashboardEndpoint({
    id: 'delete_project',
    method: 'DELETE',
    path: `${API}/projects/{project_id}`,
    summary: 'Delete a project',
    description: 'Its keys are refused within five seconds.',
    tag,
    ...inProject('projects:delete'),
    params: ProjectParams,
    status: 204,
    errors: ['PROJECT_NOT_FOUND', 'VERSION_CONFLICT'],
    handle: (context, { params }) => removeProject(context.services, callerOf(context), params.project_id),
  }),
];
export const handler = dashboardFunction(projectEndpoints);
