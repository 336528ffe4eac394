import * as z from 'zod';
import { listTenants } from '../../lib/fleet/generators/generator-service.ts';
import { AuthResponse } from '../../lib/fleet/protocol/agent-protocol.ts';
import { decideFor } from '../../lib/identity/principal.ts';
import { API, adminOnly, anyone, endpoint, fleetFunction } from '../fleet/fleet-endpoint.ts';

const PakSummary = z.object({ id: z.uuid(), name: z.string() }).meta({ id: 'PakSummary' });

export const pakEndpoints = [
  endpoint({
    id: 'verify_pak',
    method: 'POST',
    path: `${API}/auth/pak`,
    summary: 'Tell whose key this is',
    tag: 'auth',
    access: anyone,
    status: 200,
    response: AuthResponse,
    async handle({ principal }) {
      const nobody = { admin: false, agent: null, generator: null, readonly: false };
      return decideFor<AuthResponse>(principal, {
        admin: () => ({ ...nobody, admin: true }),
        agent: ({ id }) => ({ ...nobody, agent: id }),
        generator: ({ id }) => ({ ...nobody, generator: id }),
      });
    },
  }),
  endpoint({
    id: 'list_paks',
    method: 'GET',
    path: `${API}/paks`,
    summary: 'List the tenants',
    tag: 'auth',
    access: adminOnly,
    status: 200,
    response: z.array(PakSummary),
    handle: ({ services }) => listTenants(services),
  }),
];
export const handler = fleetFunction(pakEndpoints);
