import * as z from 'zod';
import { type FleetErrorCode, fleetError } from '../../lib/fleet/fleet-errors.ts';
import type { Caller } from '../../lib/fleet/fleet-ports.ts';
import type { Principal } from '../../lib/identity/principal.ts';
import { type Access, type AnyEndpoint, type Context, endpointFor } from '../../lib/platform/http/endpoint.ts';
import { type HttpFunction, httpFunction } from '../../lib/platform/http/http-function.ts';
import { app } from '../app.ts';
import type { Services } from '../services.ts';

/** What the fleet's endpoints share: their context, their access rules, their common schemas. */
export const endpoint = endpointFor<Services, Principal>();
export type FleetEndpoint = AnyEndpoint<Services, Principal>;
export type FleetContext = Context<Services, Principal>;

/** The Lambda handler of one group of endpoints. */
export const fleetFunction = (endpoints: readonly FleetEndpoint[]): HttpFunction => httpFunction(endpoints, app);

export const API = '/api/v1';

type FleetAccess = Access<Principal>;
type Test = (principal: Principal, params: Readonly<Record<string, string>>) => boolean;
const rule = (who: string, code: FleetErrorCode, allows: Test): FleetAccess => ({
  who,
  check(principal, params) {
    if (!allows(principal, params)) throw fleetError(code);
  },
});

/** Any valid key. */
export const anyone = rule('any key', 'forbidden', () => true);
export const adminOnly = rule('admin', 'admin_required', ({ type }) => type === 'admin');
/** Admins, and the agent in the path. */
export const adminOrSelf = rule(
  'admin or the agent in the path',
  'agent_pak_mismatch',
  (principal, { id }) => principal.type === 'admin' || isSelf(principal, 'agent', id),
);
export const selfOnly = rule('the agent in the path', 'agent_pak_mismatch', (principal, { id }) => isSelf(principal, 'agent', id));
/** Admins, and the generator in the path. */
export const adminOrGenerator = rule(
  'admin or the generator in the path',
  'generator_not_owned',
  (principal, { id }) => principal.type === 'admin' || isSelf(principal, 'generator', id),
);
export const adminOrGeneratorOf = (code: FleetErrorCode): FleetAccess =>
  rule('admin or the generator in the path', code, (principal, { id }) => principal.type === 'admin' || isSelf(principal, 'generator', id));
/** Decided by the verb, which knows who owns what. */
export const decidedByOwnership = (who: string): FleetAccess => rule(who, 'forbidden', () => true);
/** Agents never; the rest is ownership. */
export const notAgents = (code: FleetErrorCode): FleetAccess => rule('admin or the owning generator', code, ({ type }) => type !== 'agent');

const isSelf = (principal: Principal, type: 'agent' | 'generator', id: string | undefined) =>
  principal.type === type && principal.id === id?.toLowerCase();

export const callerOf = ({ principal, request }: FleetContext): Caller => ({ principal, ip: request.ip, userAgent: request.userAgent });

/** Ids of any version and in either case are accepted, and kept in lower case: one that nothing has is unknown, not malformed. */
export const Id = z.guid('must be a UUID').transform((id) => id.toLowerCase());
export const IdParams = z.object({ id: Id });
