import * as z from 'zod';
import { nameOf, Ulid } from '../../lib/identity/accounts/account-schemas.ts';
import { dashboardError } from '../../lib/identity/accounts/dashboard-errors.ts';
import type { Permission } from '../../lib/identity/accounts/roles.ts';
import { ApiKey, KeyLimits, KeyScope, publicKey, type StoredApiKey } from '../../lib/identity/api-keys/api-key.ts';
import { findKeyById, listKeys } from '../../lib/identity/api-keys/api-key-repository.ts';
import { createKey, type KeyInput, revokeKey, updateKey } from '../../lib/identity/api-keys/api-key-service.ts';
import { findMembership } from '../../lib/identity/organizations/organization-repository.ts';
import type { StoredProject } from '../../lib/identity/projects/project.ts';
import {
  API,
  callerOf,
  checkProject,
  type DashboardContext,
  dashboardEndpoint,
  dashboardFunction,
  inProject,
  notAllowed,
  once,
  ProjectParams,
  SOMETHING,
  signedIn,
} from './dashboard-endpoint.ts';
import { meantProject } from './meant-project.ts';
import { PageQuery, pagedAnswer } from './paged-answer.ts';

const tag = 'api-keys';
const KeyName = nameOf(2, 100);
const Scopes = z.array(KeyScope).min(1).max(20);
const End = z.iso.datetime({ offset: true, error: 'must be a time such as 2030-01-31T12:00:00Z' }).nullable();

const NewKey = z
  .strictObject({
    name: KeyName,
    scopes: Scopes.optional(),
    expires_at: End.optional(),
    expiry_option: z.enum(['30days', '90days', 'never']).optional(),
    limits: KeyLimits.optional(),
    project_id: Ulid.optional(),
  })
  .meta({ id: 'NewApiKey' });
const KeyChange = z
  .strictObject({
    name: KeyName,
    scopes: Scopes,
    expires_at: End,
    limits: KeyLimits,
    status: z.enum(['active', 'inactive']),
  })
  .partial()
  .refine((change) => Object.keys(change).length > 0, SOMETHING)
  .meta({ id: 'ApiKeyChange' });
const MadeKey = ApiKey.extend({ key: z.string().describe('Shown only here') }).meta({ id: 'CreatedApiKey' });
const KeyQuery = PageQuery.extend({ project_id: Ulid.optional(), status: z.enum(['active', 'inactive', 'expired']).optional() });
const KeyParams = z.object({ key_id: Ulid });
const ProjectKeyParams = ProjectParams.extend({ key_id: Ulid });

const SHOWN_ONCE =
  'The answer contains the key, which is shown only once. Without scopes the key has all of them. Takes an `Idempotency-Key`.';
const DEFAULT_PROJECT = 'Without a project, in the query or body or as X-Project-ID, the caller’s first project is meant.';

/** For `authorize`: the key in the path, if the caller has the permission in its organization. */
const inKeysOrganization = (permission: Permission) => ({
  access: { ...signedIn, who: `${permission} in the key's organization` },
  authorize: (context: DashboardContext, { params }: { params: { key_id: string } }) => checkKey(context, params.key_id, permission),
});
async function checkKey(context: DashboardContext, keyId: string, permission: Permission, projectId?: string): Promise<StoredApiKey> {
  const { database } = context.services;
  const key = await findKeyById(database, keyId);
  const isHere = key && (projectId === undefined || key.project_id === projectId);
  // To others than members the key does not exist, whatever project it has.
  if (!isHere || !(await findMembership(database, key.organization_id, context.principal.user_id)))
    throw dashboardError('API_KEY_NOT_FOUND');
  const { member } = await checkProject(context, key.project_id, permission);
  const isOthers = member.role === 'developer' && key.created_by !== member.user_id;
  if (permission === 'api-keys:delete' && isOthers) throw notAllowed(permission);
  return key;
}

async function keyPage(context: DashboardContext, projectId: string, query: Omit<z.infer<typeof KeyQuery>, 'project_id'>) {
  const nowMs = context.services.clock.nowMs();
  const keys = (await listKeys(context.services.database, projectId)).map((key) => publicKey(key, nowMs));
  return pagedAnswer(
    keys.filter(({ status }) => query.status === undefined || status === query.status),
    query,
  );
}

const madeKey = (context: DashboardContext, project: StoredProject, input: KeyInput) =>
  once(context, { project: project.id, input }, (services) => createKey(services, callerOf(context), project, input));

const KEY_ERRORS = ['PROJECT_NOT_FOUND', 'NAME_ALREADY_EXISTS', 'LIMIT_REACHED', 'IDEMPOTENCY_CONFLICT'] as const;

export const apiKeyEndpoints = [
  dashboardEndpoint({
    id: 'list_api_keys',
    method: 'GET',
    path: `${API}/api-keys`,
    summary: 'List the API keys of a project',
    description: DEFAULT_PROJECT,
    tag,
    access: { ...signedIn, who: "api-keys:read in the project's organization" },
    query: KeyQuery,
    status: 200,
    response: z.array(ApiKey),
    errors: ['PROJECT_NOT_FOUND'],
    handle: async (context, { query }) => keyPage(context, (await meantProject(context, 'api-keys:read', query.project_id)).id, query),
  }),
  dashboardEndpoint({
    id: 'create_api_key',
    method: 'POST',
    path: `${API}/api-keys`,
    summary: 'Create an API key',
    description: `${SHOWN_ONCE} ${DEFAULT_PROJECT}`,
    tag,
    access: { ...signedIn, who: "api-keys:write in the project's organization" },
    body: NewKey,
    status: 201,
    response: MadeKey,
    errors: KEY_ERRORS,
    handle: async (context, { body }) => madeKey(context, await meantProject(context, 'api-keys:write', body.project_id), body),
  }),
  dashboardEndpoint({
    id: 'update_api_key',
    method: 'PATCH',
    alsoBy: ['PUT'],
    path: `${API}/api-keys/{key_id}`,
    summary: 'Change an API key',
    description: 'Making it inactive, or giving it an end, needs the right to revoke it.',
    tag,
    ...inKeysOrganization('api-keys:write'),
    params: KeyParams,
    body: KeyChange,
    status: 200,
    response: ApiKey,
    errors: ['API_KEY_NOT_FOUND', 'NAME_ALREADY_EXISTS', 'VERSION_CONFLICT'],
    async handle(context, { body, params, authorized }) {
      if (body.status === 'inactive' || body.expires_at) await checkKey(context, params.key_id, 'api-keys:delete');
      return updateKey(context.services, callerOf(context), authorized, body);
    },
  }),
  dashboardEndpoint({
    id: 'get_api_key',
    method: 'GET',
    path: `${API}/api-keys/{key_id}`,
    summary: 'Fetch an API key, without the key itself',
    tag,
    ...inKeysOrganization('api-keys:read'),
    params: KeyParams,
    status: 200,
    response: ApiKey,
    errors: ['API_KEY_NOT_FOUND'],
    handle: async ({ services }, { authorized }) => publicKey(authorized, services.clock.nowMs()),
  }),
  dashboardEndpoint({
    id: 'delete_api_key',
    method: 'DELETE',
    path: `${API}/api-keys/{key_id}`,
    summary: 'Revoke an API key',
    description: 'It is refused everywhere within five seconds. A developer may revoke the keys that he made.',
    tag,
    ...inKeysOrganization('api-keys:delete'),
    params: KeyParams,
    status: 204,
    errors: ['API_KEY_NOT_FOUND', 'VERSION_CONFLICT'],
    handle: (context, { authorized }) => revokeKey(context.services, callerOf(context), authorized),
  }),
  dashboardEndpoint({
    id: 'list_project_api_keys',
    method: 'GET',
    path: `${API}/projects/{project_id}/api-keys`,
    summary: "List the project's API keys",
    tag,
    ...inProject('api-keys:read'),
    params: ProjectParams,
    query: KeyQuery.omit({ project_id: true }),
    status: 200,
    response: z.array(ApiKey),
    errors: ['PROJECT_NOT_FOUND'],
    handle: (context, { params, query }) => keyPage(context, params.project_id, query),
  }),
  dashboardEndpoint({
    id: 'create_project_api_key',
    method: 'POST',
    path: `${API}/projects/{project_id}/api-keys`,
    summary: 'Create an API key for the project',
    description: SHOWN_ONCE,
    tag,
    ...inProject('api-keys:write'),
    params: ProjectParams,
    body: NewKey.omit({ project_id: true }).meta({ id: 'NewProjectApiKey' }),
    status: 201,
    response: MadeKey,
    errors: KEY_ERRORS,
    handle: (context, { body, authorized }) => madeKey(context, authorized.project, body),
  }),
  dashboardEndpoint({
    id: 'delete_project_api_key',
    method: 'DELETE',
    path: `${API}/projects/{project_id}/api-keys/{key_id}`,
    summary: "Revoke one of the project's API keys",
    tag,
    access: { ...signedIn, who: "api-keys:delete in the key's organization" },
    authorize: (context, { params }: { params: { project_id: string; key_id: string } }) =>
      checkKey(context, params.key_id, 'api-keys:delete', params.project_id),
    params: ProjectKeyParams,
    status: 204,
    errors: ['API_KEY_NOT_FOUND', 'VERSION_CONFLICT'],
    handle: (context, { authorized }) => revokeKey(context.services, callerOf(context), authorized),
  }),
];
export const handler = dashboardFunction(apiKeyEndpoints);
