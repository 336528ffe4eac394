import * as z from 'zod';
import type { Caller, Visitor } from '../../lib/identity/accounts/account-ports.ts';
import type { UserPrincipal } from '../../lib/identity/accounts/account-principals.ts';
import { Ulid } from '../../lib/identity/accounts/account-schemas.ts';
import { dashboardError } from '../../lib/identity/accounts/dashboard-errors.ts';
import { type Permission, roleMay } from '../../lib/identity/accounts/roles.ts';
import type { StoredMember, StoredOrganization } from '../../lib/identity/organizations/organization.ts';
import { findMembership } from '../../lib/identity/organizations/organization-repository.ts';
import type { StoredProject } from '../../lib/identity/projects/project.ts';
import { findProject } from '../../lib/identity/projects/project-repository.ts';
import { type Access, type AnyEndpoint, type BodyFormat, type Context, endpointFor } from '../../lib/platform/http/endpoint.ts';
import { type HttpFunction, httpFunction } from '../../lib/platform/http/http-function.ts';
import { jsonBody } from '../../lib/platform/http/request-body.ts';
import type { RequestFacts } from '../../lib/platform/http/request-facts.ts';
import { createOnce } from '../../lib/platform/idempotency.ts';
import type { DashboardServices } from './dashboard-services.ts';
import { dashboardSurface } from './dashboard-surface.ts';

export type DashboardContext = Context<DashboardServices, UserPrincipal>;

export const API = '/api/v1';
/** Lambda takes bodies of up to 6 MB. */
const BODY_LIMIT_BYTES = 5 * 1024 * 1024;

/** JSON without a member called `__proto__` at any depth. */
const dashboardJson: BodyFormat = {
  accepts: jsonBody.accepts,
  decode(body) {
    const value = jsonBody.decode(body);
    if (hasProto(value)) throw dashboardError('INVALID_INPUT', { message: 'a member must not be called __proto__' });
    return value;
  },
};
/** The same, for an operation that works without a body too. */
export const optionalJson: BodyFormat = {
  accepts: jsonBody.accepts,
  hasSubstitute: true,
  decode: (body) => (body.bytes.length === 0 ? {} : dashboardJson.decode(body)),
};

/** The body of an operation that takes no members. Clients may send `{}` or nothing. */
export const NoMembers = z.object({}).meta({ id: 'NoMembers' });

function hasProto(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.hasOwn(value, '__proto__') || Object.values(value).some(hasProto);
}

/**
 * What every endpoint with the dashboard's shapes has. Each answers below `/api/v1` and, for clients that leave the version out, below
 * `/api`.
 */
export function withDashboardShapes<E extends { path: `/${string}`; aliases?: readonly `/${string}`[] }>(endpoint: E) {
  const { path, aliases = [] } = endpoint;
  return {
    bodyFormat: dashboardJson,
    bodyLimitBytes: BODY_LIMIT_BYTES,
    ...endpoint,
    aliases: [path, ...aliases].flatMap((one) => (one === path ? withoutVersion(one) : [one, ...withoutVersion(one)])),
  };
}
const declare = endpointFor(dashboardSurface);
/** An endpoint of the dashboard. */
export const dashboardEndpoint: typeof declare = (endpoint) => declare(withDashboardShapes(endpoint));
const withoutVersion = (path: `/${string}`): `/${string}`[] => (path.startsWith(`${API}/`) ? [`/api${path.slice(API.length)}`] : []);

/** The Lambda handler of one group of endpoints. */
export const dashboardFunction = (endpoints: readonly AnyEndpoint[]): HttpFunction => httpFunction(endpoints, dashboardSurface);

export const callerOf = ({ principal, request }: DashboardContext): Caller => ({ principal, ...visitorOf(request) });
export const visitorOf = ({ ip, userAgent }: RequestFacts): Visitor => ({ ip, userAgent });

/**
 * Runs a creation once for each `Idempotency-Key` of the caller. The verb gets services whose `commit` stores the answer with the change;
 * it passes the answer as `answer`.
 */
export const once = <T>(context: DashboardContext, input: unknown, create: (services: DashboardServices) => Promise<T>): Promise<T> => {
  const { services, principal, request } = context;
  return createOnce(
    services.idempotency,
    { key: request.headers['idempotency-key'], caller: principal.user_id, request: [request.method, request.path, input] },
    services.commit,
    (commit) => create({ ...services, commit }),
  );
};

const rule = (who: string): Access<UserPrincipal> => ({ who, principals: ['user'], check: () => {} });
/** Any signed-in user. */
export const signedIn = rule('a signed-in user');

/** The caller's place in the organization that a request concerns. */
export interface InOrganization {
  organization: StoredOrganization;
  member: StoredMember;
}
export interface InProject extends InOrganization {
  project: StoredProject;
}

/** Finds the organization for a caller with the permission. To others than members it does not exist. */
export async function checkOrganization(
  context: DashboardContext,
  organizationId: string,
  permission: Permission,
): Promise<InOrganization> {
  const found = await findMembership(context.services.database, organizationId, context.principal.user_id);
  if (!found) throw dashboardError('ORG_NOT_FOUND');
  if (!roleMay(found.member.role, permission)) throw notAllowed(permission);
  return found;
}

export async function checkProject(context: DashboardContext, projectId: string, permission: Permission): Promise<InProject> {
  const project = await findProject(context.services.database, projectId);
  const found = project && (await findMembership(context.services.database, project.organization_id, context.principal.user_id));
  if (!found) throw dashboardError('PROJECT_NOT_FOUND');
  if (!roleMay(found.member.role, permission)) throw notAllowed(permission);
  return { ...found, project };
}

export const notAllowed = (permission: Permission) =>
  dashboardError('INSUFFICIENT_PERMISSIONS', { message: `your role does not allow ${permission}`, details: { required: permission } });

/** For bodies whose members are all optional. A body with unknown members is refused for these alone. */
export const SOMETHING = {
  error: 'must change something',
  when: ({ issues }: { issues: readonly unknown[] }) => issues.length === 0,
};

export const OrganizationParams = z.object({ org_id: Ulid });
export const ProjectParams = z.object({ project_id: Ulid });

/** Rights in the organization in the path, `{org_id}`. The handler gets the organization and the caller's membership. */
export const inOrganization = (permission: Permission) => ({
  access: rule(`${permission} in the organization`),
  authorize: (context: DashboardContext, { params }: { params: { org_id: string } }) =>
    checkOrganization(context, params.org_id, permission),
});

/** Rights in the organization of the project in the path, `{project_id}`. The handler gets the project, too. */
export const inProject = (permission: Permission) => ({
  access: rule(`${permission} in the project's organization`),
  authorize: (context: DashboardContext, { params }: { params: { project_id: string } }) =>
    checkProject(context, params.project_id, permission),
});

/**
 * Rights in the organization that the request means: X-Organization-ID, else the organization of X-Project-ID, else the caller's
 * default. The handler gets the organization, and the project if one was named.
 */
export const inMeantOrganization = (permission: Permission) => ({
  access: rule(`${permission} in the organization that the request means`),
  authorize: async (context: DashboardContext): Promise<InOrganization & { project?: StoredProject }> => {
    const { headers } = context.request;
    return checkMeant(context, permission, { organization_id: headers['x-organization-id'], project_id: headers['x-project-id'] });
  },
});

/** The same for ids that came in query or body: a malformed id is a fault of the input, a foreign one is unknown. */
export async function checkMeant(
  context: DashboardContext,
  permission: Permission,
  { organization_id, project_id }: { organization_id?: string | undefined; project_id?: string | undefined },
): Promise<InOrganization & { project?: StoredProject }> {
  for (const [field, value] of [
    ['organization_id', organization_id],
    ['project_id', project_id],
  ] as const)
    if (value !== undefined && !Ulid.safeParse(value).success)
      throw dashboardError('INVALID_FORMAT', { message: `${field}: must be a ULID`, details: { field, constraint: 'must be a ULID' } });
  if (project_id !== undefined) {
    const found = await checkProject(context, project_id, permission);
    if (organization_id !== undefined && found.project.organization_id !== organization_id) throw dashboardError('PROJECT_NOT_FOUND');
    return found;
  }
  return checkOrganization(context, organization_id ?? context.principal.default_organization_id, permission);
}
