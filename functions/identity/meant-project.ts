import { dashboardError } from '../../lib/identity/accounts/dashboard-errors.ts';
import type { Permission } from '../../lib/identity/accounts/roles.ts';
import { findUser } from '../../lib/identity/accounts/users/user.ts';
import type { StoredProject } from '../../lib/identity/projects/project.ts';
import { listProjects } from '../../lib/identity/projects/project-repository.ts';
import { isAppError } from '../../lib/platform/errors.ts';
import { checkMeant, checkProject, type DashboardContext } from './dashboard-endpoint.ts';

/** The project that a request means: the given one, X-Project-ID, the first one of X-Organization-ID, or the caller's own first one. */
export async function meantProject(context: DashboardContext, permission: Permission, given: string | undefined): Promise<StoredProject> {
  const { headers } = context.request;
  const project_id = given ?? headers['x-project-id'];
  const organization_id = headers['x-organization-id'];
  const user = (project_id ?? organization_id) ? undefined : await findUser(context.services.database, context.principal.user_id);
  if (user) {
    const own = await checkProject(context, user.default_project_id, permission).catch(ignoreMissing);
    if (own && own.project.organization_id === user.default_organization_id) return own.project;
  }
  const meant = await checkMeant(context, permission, { organization_id, project_id });
  if (meant.project) return meant.project;
  const projects = await listProjects(context.services.database, meant.organization.id);
  const [first] = projects.filter(({ status }) => status === 'active').toSorted((a, b) => (a.id < b.id ? -1 : 1));
  if (!first) throw dashboardError('PROJECT_NOT_FOUND', { message: 'the organization has no active project: name one by project_id' });
  return first;
}
const ignoreMissing = (error: unknown): undefined => {
  if (!isAppError(error, 'PROJECT_NOT_FOUND')) throw error;
};
