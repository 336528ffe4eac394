import { unique } from '../fleet/fleet-builder.ts';
import { data, uniqueEmail } from '../identity/account-builder.ts';
import { type AccountWorld, furtherInvitation, furtherKey, furtherMember, furtherOrganization, furtherProject } from './account-world.ts';

/** The statuses of a valid request by owner, admin, developer, viewer, and another organization's user. */
type Statuses = readonly [owner: number, admin: number, developer: number, viewer: number, stranger: number];

export interface AccountRow {
  statuses: Statuses;
  /** The path's parameters. It is called for each request, so that a request may use up the thing. */
  params?(world: AccountWorld): Promise<Record<string, string>> | Record<string, string>;
  query?(world: AccountWorld): string;
  body?(world: AccountWorld): unknown;
  headers?(world: AccountWorld): Record<string, string>;
}
/** The endpoint takes no credentials, or checks them itself. */
export const PUBLIC = 'public' as const;

const everyMember: Statuses = [200, 200, 200, 200, 404];
const managers: Statuses = [200, 200, 403, 403, 404];
const everyUser: Statuses = [200, 200, 200, 200, 200];
const builders: Statuses = [200, 200, 200, 403, 404];
const buildersCreate: Statuses = [201, 201, 201, 403, 404];
const managersCreate: Statuses = [201, 201, 403, 403, 404];
const managersRemove: Statuses = [204, 204, 403, 403, 404];
const ownerRemoves: Statuses = [204, 403, 403, 403, 404];

const inOrg = ({ organization }: AccountWorld) => ({ org_id: organization });
const inProject = ({ project }: AccountWorld) => ({ project_id: project });
const meansOrg = ({ organization }: AccountWorld) => ({ 'x-organization-id': organization });
const newProject = () => ({ name: unique('project') });
const newKey = () => ({ name: unique('key') });

/** A scope has a few budgets at the most, so each budget here has a key of its own. */
async function furtherBudget(world: AccountWorld): Promise<Record<string, string>> {
  const budget = { scope: 'api_key', scope_id: await furtherKey(world), period: 'day', limit_usd: 5 };
  return { budget_id: data(await world.users.owner.api.post('/budgets', budget)).id };
}

const newProvider = () => ({
  type: 'openai-compatible',
  id: unique('p').toLowerCase(),
  base_url: 'http://127.0.0.1:1/v1',
  api_key: 'sk-x',
});
const newGroup = () => ({ id: unique('group').toLowerCase(), targets: [{ model: 'simulated/echo' }] });
const newPrice = () => ({ provider: 'openai', model: 'm', currency: 'USD', unit: 'per_1m_tokens', input: 1, output: 2 });
const further =
  (path: string, body: () => unknown) =>
  async ({ users }: AccountWorld): Promise<Record<string, string>> => ({
    id: data(await users.owner.api.post(path, body())).id,
  });
const furtherProvider = further('/routing/providers', newProvider);
const furtherGroup = further('/routing/groups', newGroup);
const furtherPrice = further('/routing/prices', newPrice);
const furtherDecision = async ({ users }: AccountWorld): Promise<Record<string, string>> => ({
  id: data(await users.owner.api.post('/routing/decisions', { model: 'simulated/echo' })).decision_id,
});

/** One row for each endpoint that users call: of the dashboard, and of routing, which some project keys may call, too. */
export const accountRows: Readonly<Record<string, AccountRow | typeof PUBLIC>> = {
  register: PUBLIC,
  login: PUBLIC,
  refresh: PUBLIC,
  forgot_password: PUBLIC,
  reset_password: PUBLIC,
  validate_key: PUBLIC,
  // Sessions of users that are not in the matrix any more: each call ends one.
  logout: { statuses: everyUser },
  list_sessions: { statuses: everyUser },
  revoke_session: { statuses: [404, 404, 404, 404, 404], params: () => ({ session_id: '01ARZ3NDEKTSV4RRFFQ69G5FAV' }) },
  revoke_all_sessions: { statuses: everyUser },

  get_me: { statuses: everyUser },
  update_me: { statuses: everyUser, body: () => ({ name: 'Somebody' }) },
  list_organizations: { statuses: everyUser },
  create_organization: { statuses: [201, 201, 201, 201, 201], body: () => ({ name: unique('organization') }) },
  get_organization: { statuses: everyMember, params: inOrg },
  update_organization: { statuses: managers, params: inOrg, body: () => ({ description: 'd' }) },
  delete_organization: { statuses: ownerRemoves, params: async (world) => ({ org_id: await furtherOrganization(world) }) },
  list_members: { statuses: managers, params: inOrg },
  add_member: { statuses: [202, 202, 403, 403, 404], params: inOrg, body: () => ({ email: uniqueEmail(), role: 'viewer' }) },
  update_member: {
    statuses: managers,
    params: async (world) => ({ ...inOrg(world), user_id: await furtherMember(world) }),
    body: () => ({ role: 'developer' }),
  },
  remove_member: { statuses: ownerRemoves, params: async (world) => ({ ...inOrg(world), user_id: await furtherMember(world) }) },
  list_invitations: { statuses: managers, params: inOrg },
  delete_invitation: {
    statuses: managersRemove,
    params: async (world) => ({ ...inOrg(world), invitation_id: await furtherInvitation(world) }),
  },
  accept_invitation: { statuses: [404, 404, 404, 404, 404], params: () => ({ token: 'a'.repeat(64) }) },

  list_organization_projects: { statuses: everyMember, params: inOrg },
  create_organization_project: { statuses: buildersCreate, params: inOrg, body: newProject },
  list_projects: { statuses: everyMember, headers: meansOrg },
  create_project: { statuses: buildersCreate, body: ({ organization }) => ({ ...newProject(), organization_id: organization }) },
  get_project: { statuses: everyMember, params: inProject },
  update_project: { statuses: builders, params: inProject, body: () => ({ description: 'd' }) },
  delete_project: { statuses: ownerRemoves, params: async (world) => ({ project_id: await furtherProject(world) }) },

  list_api_keys: { statuses: everyMember, query: ({ project }) => `?project_id=${project}` },
  create_api_key: { statuses: buildersCreate, body: ({ project }) => ({ ...newKey(), project_id: project }) },
  get_api_key: { statuses: everyMember, params: ({ key }) => ({ key_id: key.id }) },
  update_api_key: { statuses: builders, params: ({ key }) => ({ key_id: key.id }), body: newKey },
  // The key is the owner's: a developer may revoke his own only.
  delete_api_key: { statuses: [204, 204, 403, 403, 404], params: async (world) => ({ key_id: await furtherKey(world) }) },
  list_project_api_keys: { statuses: everyMember, params: inProject },
  create_project_api_key: { statuses: buildersCreate, params: inProject, body: newKey },
  delete_project_api_key: {
    statuses: [204, 204, 403, 403, 404],
    params: async (world) => ({ ...inProject(world), key_id: await furtherKey(world) }),
  },

  list_budgets: { statuses: managers, headers: meansOrg },
  create_budget: {
    statuses: managersCreate,
    headers: meansOrg,
    body: ({ organization }) => ({ scope: 'organization', scope_id: organization, period: 'day', limit_usd: 5 }),
  },
  get_budget: { statuses: managers, headers: meansOrg, params: furtherBudget },
  update_budget: { statuses: managers, headers: meansOrg, params: furtherBudget, body: () => ({ limit_usd: 6 }) },
  delete_budget: { statuses: managersRemove, headers: meansOrg, params: furtherBudget },

  list_requests: { statuses: everyMember, headers: meansOrg },

  list_providers: { statuses: everyMember, headers: meansOrg },
  create_provider: { statuses: managersCreate, headers: meansOrg, body: newProvider },
  get_provider: { statuses: everyMember, headers: meansOrg, params: () => ({ id: 'simulated' }) },
  update_provider: { statuses: managers, headers: meansOrg, params: furtherProvider, body: () => ({ weight: 5 }) },
  delete_provider: { statuses: managersRemove, headers: meansOrg, params: furtherProvider },
  get_provider_health: { statuses: everyMember, headers: meansOrg, params: () => ({ id: 'simulated' }) },
  create_routing_decision: { statuses: everyMember, headers: meansOrg, body: () => ({ model: 'simulated/echo' }) },
  get_routing_decision: { statuses: everyMember, headers: meansOrg, params: furtherDecision },
  replay_routing_decision: { statuses: everyMember, headers: meansOrg, params: furtherDecision, body: () => ({ priority: 'cost' }) },
  list_model_groups: { statuses: everyMember, headers: meansOrg },
  create_model_group: { statuses: managersCreate, headers: meansOrg, body: newGroup },
  get_model_group: { statuses: everyMember, headers: meansOrg, params: furtherGroup },
  update_model_group: { statuses: managers, headers: meansOrg, params: furtherGroup, body: () => ({ priority: 'cost' }) },
  delete_model_group: { statuses: managersRemove, headers: meansOrg, params: furtherGroup },
  list_price_overrides: { statuses: everyMember, headers: meansOrg },
  create_price_override: { statuses: managersCreate, headers: meansOrg, body: newPrice },
  get_price_override: { statuses: everyMember, headers: meansOrg, params: furtherPrice },
  delete_price_override: { statuses: managersRemove, headers: meansOrg, params: furtherPrice },
  get_routing_policy: { statuses: everyMember, params: inProject },
  set_routing_policy: { statuses: managers, params: inProject, body: () => ({ priority: 'cost' }) },
};
