import * as z from 'zod';
import { AuthResponse } from '../../lib/fleet/protocol/agent-protocol.ts';
import { listTenants } from '../../lib/identity/generator-repository.ts';
import { decideFor } from '../../lib/identity/principal.ts';
import { API, adminOnly, anyone, endpoint, fleetFunction } from '../fleet/fleet-endpoint.ts';
import { answerPage, PAGED, PageQuery } from '../fleet/list-answer.ts';

const PakSummary = z.object({ id: z.uuid(), name: z.string() }).meta({ id: 'PakSummary' });

export const pakEndpoints = [
  endpoint({
    id: 'verify_pak',
    method: 'POST',
    path: `${API}/auth/pak`,
    summary: 'Return the principal of the key',
    tag: 'auth',
    access: anyone,
    status: 200,
    response: AuthResponse,
    async handle({ principal }) {
      const none = { admin: false, agent: null, generator: null, readonly: false };
      return decideFor<AuthResponse>(principal, {
        admin: () => ({ ...none, admin: true }),
        agent: ({ id }) => ({ ...none, agent: id }),
        generator: ({ id }) => ({ ...none, generator: id }),
      });
    },
  }),
  endpoint({
    id: 'list_paks',
    method: 'GET',
    path: `${API}/paks`,
    summary: 'List the tenants',
    tag: 'auth',
    description: PAGED,
    access: adminOnly,
    query: PageQuery,
    status: 200,
    response: z.array(PakSummary),
    handle: async ({ services }, { query }) => answerPage(await listTenants(services.database, query)),
  }),
];
export const handler = fleetFunction(pakEndpoints);
