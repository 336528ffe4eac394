import type { DecisionPorts } from '../../lib/ai/routing/decisions/decision-service.ts';
import { checkUpstream } from '../../lib/ai/routing/providers/check-upstream.ts';
import type { InOrganization, RoutingCaller, RoutingPorts } from '../../lib/ai/routing/routing-ports.ts';
import {
  decideForAccount,
  type ProjectKeyPrincipal,
  type Scope,
  type UserPrincipal,
} from '../../lib/identity/accounts/account-principals.ts';
import { dashboardError } from '../../lib/identity/accounts/dashboard-errors.ts';
import type { Permission } from '../../lib/identity/accounts/roles.ts';
import { keyOfHeaders } from '../../lib/identity/api-keys/key-authenticator.ts';
import { type Access, type AnyEndpoint, type Context, endpointFor } from '../../lib/platform/http/endpoint.ts';
import { type HttpFunction, httpFunction } from '../../lib/platform/http/http-function.ts';
import type { RequestFacts } from '../../lib/platform/http/request-facts.ts';
import type { Surface } from '../../lib/platform/http/surface.ts';
import {
  type DashboardContext,
  inMeantOrganization,
  inProject,
  once,
  visitorOf,
  withDashboardShapes,
} from '../identity/dashboard-endpoint.ts';
import { dashboardLimits } from '../identity/dashboard-limits.ts';
import { type DashboardServices, dashboardServices } from '../identity/dashboard-services.ts';
import { dashboardSurface } from '../identity/dashboard-surface.ts';
import { authenticateProjectKey } from '../identity/project-keys.ts';
import { oncePerRuntime } from '../runtime.ts';
import { secrets } from '../secrets.ts';
import { callPlanner, projectSettings, providerHealth, routingCommit } from './routing-parts.ts';

/** Everything that the endpoints of routing work with. */
export interface RoutingServices extends DashboardServices {
  routing: RoutingPorts & DecisionPorts;
  settings: ReturnType<typeof projectSettings>;
  health: ReturnType<typeof providerHealth>;
}
export type RoutingPrincipal = UserPrincipal | ProjectKeyPrincipal;
export type RoutingContext = Context<RoutingServices, RoutingPrincipal>;

const routingServices = oncePerRuntime(async (runtime): Promise<RoutingServices> => {
  const dashboard = dashboardServices(runtime);
  const { database, clock } = dashboard;
  const { ALLOW_PRIVATE_UPSTREAMS: allowPrivate } = runtime.config;
  return {
    ...dashboard,
    routing: {
      database,
      clock,
      commit: routingCommit(runtime),
      sealing: secrets(runtime),
      checkUpstream: (url) => checkUpstream(url, { allowPrivate }),
      plan: await callPlanner(runtime),
    },
    settings: projectSettings(runtime),
    health: providerHealth(runtime),
  };
});

const hasProjectKey = ({ headers }: RequestFacts): boolean => keyOfHeaders(headers)?.startsWith('bk_') ?? false;

/** The dashboard's shapes for users, and where a scope allows it for project keys. */
export const routingSurface: Surface<RoutingServices, RoutingPrincipal> = {
  ...dashboardSurface,
  name: 'routing',
  services: () => routingServices(),
  authenticate: (request) => (hasProjectKey(request) ? authenticateProjectKey(request) : dashboardServices().authenticate(request)),
  describe: (principal) =>
    decideForAccount<{ type: string; id: string }>(principal, {
      user: ({ type, user_id }) => ({ type, id: user_id }),
      projectKey: ({ type, key_id }) => ({ type, id: key_id }),
    }),
  headers: (request) => dashboardSurface.headers(request),
  limit: (request, { principal }) => dashboardLimits().count(request, principal),
};

const declare = endpointFor(routingSurface);
export const routingEndpoint: typeof declare = (endpoint) => declare(withDashboardShapes(endpoint));
export const routingFunction = (endpoints: readonly AnyEndpoint[]): HttpFunction => httpFunction(endpoints, routingSurface);

/** The organization that a request concerns, and the project if it concerns one. */
export interface Concerned extends InOrganization {
  project_id: string | undefined;
}

const rule = (permission: Permission, scopes: readonly Scope[]): Access<RoutingPrincipal> => ({
  who: `${permission} in the organization that the request means${scopes.length > 0 ? `, or a project key with ${scopes.join(' or ')}` : ''}`,
  principals: scopes.length > 0 ? ['user', 'project-key'] : ['user'],
  check: (principal) => decideForAccount(principal, { user: () => {}, projectKey: (key) => checkScope(key, scopes) }),
});

function checkScope(key: ProjectKeyPrincipal, scopes: readonly Scope[]): void {
  if (scopes.length === 0) throw keyRefused();
  if (scopes.some((scope) => key.scopes.includes(scope))) return;
  throw dashboardError('INSUFFICIENT_SCOPE', { message: `the key lacks the scope ${scopes.join(' or ')}`, details: { required: scopes } });
}

const keyRefused = () => dashboardError('INSUFFICIENT_PERMISSIONS', { message: 'a project key may not do this' });

/** A user's request as the dashboard's own endpoints see it. */
export const asDashboard = (context: RoutingContext): DashboardContext =>
  decideForAccount(context.principal, {
    user: (principal) => ({ ...context, principal }),
    // The rule has refused keys already, so that this is for the compiler.
    projectKey: () => {
      throw keyRefused();
    },
  });

/** Users with this permission in the organization that the request means, and project keys with one of these scopes. */
export const withRight = (permission: Permission, ...scopes: readonly Scope[]) => ({
  access: rule(permission, scopes),
  authorize: (context: RoutingContext): Promise<Concerned> =>
    decideForAccount<Promise<Concerned>>(context.principal, {
      async user() {
        const { organization, project } = await inMeantOrganization(permission).authorize(asDashboard(context));
        return { organization_id: organization.id, project_id: project?.id };
      },
      projectKey: async ({ organization_id, project_id }) => ({ organization_id, project_id }),
    }),
});

/** Users with this permission in the organization of the project in the path. */
export const inPathProject = (permission: Permission) => ({
  access: { ...rule(permission, []), who: `${permission} in the project's organization` },
  authorize: async (context: RoutingContext, input: { params: { project_id: string } }): Promise<Concerned> => {
    const { project } = await inProject(permission).authorize(asDashboard(context), input);
    return { organization_id: project.organization_id, project_id: project.id };
  },
});

/** The caller of a change, as the audit log names him. */
export const changerOf = (context: RoutingContext, { organization_id }: Concerned): RoutingCaller => ({
  organization_id,
  principal: asDashboard(context).principal,
  ...visitorOf(context.request),
});

/** Makes a change and lets this process see it at once. The others see it within five seconds. */
export async function changing<T>({ services }: RoutingContext, { organization_id }: Concerned, change: Promise<T>): Promise<T> {
  const made = await change;
  services.settings.forgetOrganization(organization_id);
  return made;
}

/** Creates something, once for each `Idempotency-Key` of the caller. */
export const creating = <T>(
  context: RoutingContext,
  concerned: Concerned,
  input: unknown,
  create: (ports: RoutingPorts, caller: RoutingCaller) => Promise<T>,
): Promise<T> =>
  changing(
    context,
    concerned,
    once(asDashboard(context), { organization_id: concerned.organization_id, input }, ({ commit }) =>
      create({ ...context.services.routing, commit }, changerOf(context, concerned)),
    ),
  );
