import * as z from 'zod';
import {
  createGenerator,
  getGenerator,
  listRegisteredAgents,
  removeGenerator,
  rotateGeneratorPak,
  updateGenerator,
} from '../../lib/fleet/generators/generator-service.ts';
import { Registration } from '../../lib/fleet/targeting/registration-repository.ts';
import { deregisterAgent, registerAgent } from '../../lib/fleet/targeting/registration-service.ts';
import { Generator } from '../../lib/identity/generator.ts';
import { listTenants } from '../../lib/identity/generator-repository.ts';
import type { BodyFormat } from '../../lib/platform/http/endpoint.ts';
import { jsonBody } from '../../lib/platform/http/request-body.ts';
import { DescribedName, DescribedText } from '../../lib/platform/names.ts';
import { API, adminOnly, adminOrGenerator, callerOf, checkedInService, endpoint, fleetFunction, Id, IdParams } from './fleet-endpoint.ts';
import { answerPage, PAGED, PageQuery } from './list-answer.ts';

const tag = 'generators';
/** If this is null, or absent at the creation, every agent may register itself. */
const allowed_agent_ids = z.array(Id).max(1_000).nullish();
const NewGenerator = z
  .object({ name: DescribedName, description: DescribedText.nullish(), allowed_agent_ids })
  .meta({ id: 'NewGenerator' });
/** A whole Generator, as clients send it back; only name, description and allowed_agent_ids are taken from it. */
const GeneratorUpdate = z
  .object({
    id: Id,
    created_at: z.iso.datetime({ offset: true }),
    updated_at: z.iso.datetime({ offset: true }),
    name: DescribedName,
    description: DescribedText.nullish(),
    is_active: z.boolean(),
    is_system: z.boolean(),
    allowed_agent_ids,
  })
  .meta({ id: 'GeneratorUpdate' });
const GeneratorAndPak = z.object({ generator: Generator, pak: z.string() }).meta({ id: 'CreateGeneratorResponse' });
const AgentRegistrationBody = z.object({ agent_id: Id.nullish() }).meta({ id: 'AgentRegistrationBody' });

/** Some proxies strip the body of a DELETE, so the query may contain the id instead. */
const bodyOrQuery: BodyFormat = {
  accepts: jsonBody.accepts,
  hasSubstitute: true,
  decode: (body) =>
    body.bytes.length === 0 && body.query.agent_id !== undefined ? { agent_id: body.query.agent_id } : jsonBody.decode(body),
};
const registrants = checkedInService('admin or the agent itself', 'admin', 'agent');

export const generatorEndpoints = [
  endpoint({
    id: 'list_generators',
    method: 'GET',
    path: `${API}/generators`,
    summary: 'List generators',
    tag,
    description: PAGED,
    access: adminOnly,
    query: PageQuery,
    status: 200,
    response: z.array(Generator),
    handle: async ({ services }, { query }) => answerPage(await listTenants(services.database, query)),
  }),
  endpoint({
    id: 'create_generator',
    method: 'POST',
    path: `${API}/generators`,
    summary: 'Create a generator',
    tag,
    description:
      'The answer contains its first key, which is shown only once. `allowed_agent_ids` names the agents that may register themselves with it; null, the default, allows every agent.',
    access: adminOnly,
    body: NewGenerator,
    status: 201,
    response: GeneratorAndPak,
    errors: ['invalid_generator', 'unique_violation'],
    handle: (context, { body }) => createGenerator(context.services, callerOf(context), body),
  }),
  endpoint({
    id: 'get_generator',
    method: 'GET',
    path: `${API}/generators/{id}`,
    summary: 'Fetch a generator',
    tag,
    access: adminOrGenerator('generator_not_owned'),
    params: IdParams,
    status: 200,
    response: Generator,
    errors: ['generator_not_found', 'generator_not_owned'],
    handle: ({ services }, { params }) => getGenerator(services, params.id),
  }),
  endpoint({
    id: 'update_generator',
    method: 'PUT',
    path: `${API}/generators/{id}`,
    summary: 'Change a generator',
    tag,
    description:
      'Takes a whole Generator; only `name`, `description` and `allowed_agent_ids` change. Only an admin may change the name: a refusal would reveal the name of another tenant. A description of null clears it, `allowed_agent_ids` of null allows every agent to register itself; existing registrations stay.',
    access: adminOrGenerator('generator_not_owned'),
    params: IdParams,
    body: GeneratorUpdate,
    status: 200,
    response: Generator,
    errors: [
      'system_generator_not_a_tenant',
      'generator_not_found',
      'generator_not_owned',
      'admin_required',
      'invalid_generator',
      'unique_violation',
    ],
    handle: (context, { params, body }) => updateGenerator(context.services, callerOf(context), params.id, body),
  }),
  endpoint({
    id: 'delete_generator',
    method: 'DELETE',
    path: `${API}/generators/{id}`,
    summary: 'Delete a generator and its stacks',
    tag,
    access: adminOrGenerator('generator_not_owned'),
    params: IdParams,
    status: 204,
    errors: ['generator_not_found', 'generator_not_owned', 'cannot_delete_system_generator'],
    handle: (context, { params }) => removeGenerator(context.services, callerOf(context), params.id),
  }),
  endpoint({
    id: 'rotate_generator_pak',
    method: 'POST',
    path: `${API}/generators/{id}/rotate-pak`,
    summary: "Replace a generator's key",
    tag,
    access: adminOrGenerator('generator_not_owned'),
    params: IdParams,
    status: 201,
    response: GeneratorAndPak,
    errors: ['generator_not_found', 'generator_not_owned'],
    handle: (context, { params }) => rotateGeneratorPak(context.services, callerOf(context), params.id),
  }),
  endpoint({
    id: 'register_agent',
    method: 'POST',
    path: `${API}/generators/{id}/register`,
    summary: 'Register an agent with a generator',
    tag,
    description:
      "Records the agent's consent to run the generator's stacks. An agent registers itself, if the generator's `allowed_agent_ids` is null or names it; an admin registers any agent.",
    access: registrants,
    params: IdParams,
    body: AgentRegistrationBody,
    status: 201,
    response: Registration,
    errors: [
      'forbidden',
      'agent_pak_mismatch',
      'missing_agent_id',
      'generator_not_found',
      'registration_not_allowed',
      'already_registered',
      'foreign_key_violation',
      'too_many',
    ],
    handle: (context, { params, body }) => registerAgent(context.services, callerOf(context), params.id, body.agent_id ?? undefined),
  }),
  endpoint({
    id: 'deregister_agent',
    method: 'DELETE',
    path: `${API}/generators/{id}/register`,
    summary: 'End a registration',
    tag,
    description: "Removes the agent's explicit targets to the generator's stacks too. The body may be replaced by `?agent_id=`.",
    access: registrants,
    params: IdParams,
    query: z.object({ agent_id: Id.optional() }),
    body: AgentRegistrationBody,
    bodyFormat: bodyOrQuery,
    status: 204,
    errors: ['forbidden', 'agent_pak_mismatch', 'missing_agent_id', 'generator_not_found', 'system_generator_not_a_tenant'],
    handle: (context, { params, body }) => deregisterAgent(context.services, callerOf(context), params.id, body.agent_id ?? undefined),
  }),
  endpoint({
    id: 'list_generator_registered_agents',
    method: 'GET',
    path: `${API}/generators/{id}/registered-agents`,
    summary: 'List the agents registered with a generator',
    tag,
    description: PAGED,
    access: adminOrGenerator('not_authorized'),
    params: IdParams,
    query: PageQuery,
    status: 200,
    response: z.array(Registration),
    errors: ['generator_not_found', 'not_authorized'],
    handle: async ({ services }, { params, query }) => answerPage(await listRegisteredAgents(services, params.id, query)),
  }),
];
export const handler = fleetFunction(generatorEndpoints);
