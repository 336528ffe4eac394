import * as z from 'zod';
import { type FleetErrorCode, fleetError } from '../../lib/fleet/fleet-errors.ts';
import type { Caller } from '../../lib/fleet/fleet-ports.ts';
import type { StoredStack } from '../../lib/fleet/stacks/stack-repository.ts';
import { getOwnStack } from '../../lib/fleet/stacks/stack-service.ts';
import {
  type AgentPrincipal,
  type ByPrincipal,
  decideFor,
  type GeneratorPrincipal,
  type Principal,
  PrincipalType,
} from '../../lib/identity/principal.ts';
import { type Access, type AnyEndpoint, type Context, endpointFor } from '../../lib/platform/http/endpoint.ts';
import { type HttpFunction, httpFunction } from '../../lib/platform/http/http-function.ts';
import type { Services } from '../services.ts';
import { fleetSurface } from './fleet-surface.ts';

/** The fleet's endpoints share this file: their context, their access rules and their common schemas. */
export const endpoint = endpointFor(fleetSurface);
export type FleetContext = Context<Services, Principal>;

/** The Lambda handler of one group of endpoints. */
export const fleetFunction = (endpoints: readonly AnyEndpoint[]): HttpFunction => httpFunction(endpoints, fleetSurface);

export const API = '/api/v1';

type FleetAccess = Access<Principal>;
type PathParams = Readonly<Record<string, string>>;

/** An access rule that says for each kind of principal whether it may call. A refusal has this code. */
const rule = (
  who: string,
  code: FleetErrorCode,
  allows: (params: PathParams) => ByPrincipal<boolean>,
  principals: readonly PrincipalType[] = PrincipalType.options.filter((kind) => allows({})[kind] !== no),
): FleetAccess => ({
  who,
  principals,
  check(principal, params) {
    if (!decideFor(principal, allows(params))) throw fleetError(code);
  },
});
const yes = () => true;
const no = () => false;
const isInPath =
  ({ id }: PathParams) =>
  (principal: AgentPrincipal | GeneratorPrincipal) =>
    principal.id === id?.toLowerCase();

const everyKind = () => ({ admin: yes, agent: yes, generator: yes });
/** Any valid key. */
export const anyone = rule('any key', 'forbidden', everyKind);
export const adminOnly = rule('admin', 'admin_required', () => ({ admin: yes, agent: no, generator: no }));
/** Admins, and the agent in the path. */
export const adminOrSelf = rule('admin or the agent in the path', 'agent_pak_mismatch', (params) => ({
  admin: yes,
  agent: isInPath(params),
  generator: no,
}));
export const selfOnly = rule('the agent in the path', 'agent_pak_mismatch', (params) => ({
  admin: no,
  agent: isInPath(params),
  generator: no,
}));
/** Admins, and the generator in the path. */
export const adminOrGenerator = (code: FleetErrorCode): FleetAccess =>
  rule('admin or the generator in the path', code, (params) => ({ admin: yes, agent: no, generator: isInPath(params) }));
/** Admins and generators. The verb checks that a generator owns the thing. */
export const ownersOnly = (code: FleetErrorCode): FleetAccess =>
  rule('admin or the owning generator', code, () => ({ admin: yes, agent: no, generator: yes }));
/** The verb checks the right, since it knows who owns the thing and which error code the contract asks for. `principals` may have it. */
export const checkedInService = (who: string, ...principals: readonly PrincipalType[]): FleetAccess =>
  rule(who, 'forbidden', everyKind, principals);
/** Admins and generators. Each generator sees its own things. */
export const adminOrAnyGenerator = (code: FleetErrorCode): FleetAccess =>
  rule('admin or a generator', code, () => ({ admin: yes, agent: no, generator: yes }));
/** Agents. The verb checks that the agent was told to run the thing. */
export const anyAgent = rule('an agent', 'agent_pak_required', () => ({ admin: no, agent: yes, generator: no }));
/** Admins and agents. The verb checks that an agent acts on itself. */
export const adminOrAgentItself = rule('admin or the agent itself', 'agent_pak_mismatch', () => ({
  admin: yes,
  agent: yes,
  generator: no,
}));

export const callerOf = ({ principal, request }: FleetContext): Caller => ({ principal, ip: request.ip, userAgent: request.userAgent });

/** Accepts UUIDs of any version and in either case, so that an id that nothing has is unknown, not malformed. Gives lower case. */
export const Id = z.guid('must be a UUID').transform((id) => id.toLowerCase());
export const IdParams = z.object({ id: Id });

/** For `authorize`: the stack in the path, if the caller owns it. */
export const ownStack = (context: FleetContext, { params }: { params: { id: string } }): Promise<StoredStack> =>
  getOwnStack(context.services, callerOf(context), params.id);
