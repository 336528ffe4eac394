import { createAccessTokens } from '../../lib/identity/accounts/sessions/access-token.ts';
import { makeTenant, unique } from '../fleet/fleet-builder.ts';
import { type Api, api } from '../harness/client.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { type Account, data, makeAccount, uniqueEmail } from '../identity/account-builder.ts';

export const MEMBERS = ['owner', 'admin', 'developer', 'viewer'] as const;
export const USERS = [...MEMBERS, "another organization's user"] as const;
export type UserName = (typeof USERS)[number];

/** An organization with a member of each role, and a stranger. */
export interface AccountWorld {
  host: { anonymous: Api };
  users: Readonly<Record<UserName, Account>>;
  organization: string;
  project: string;
  /** A key of the project with every scope. */
  key: { id: string; key: string };
}
export interface HostedWorld extends AccountWorld {
  /** Headers without a live token of a user. */
  dead: Readonly<Record<string, Record<string, string>>>;
  /** A client below `/` with these headers. */
  withHeaders(headers: Record<string, string>): Pick<Api, 'send'>;
  stop(): Promise<void>;
}

const SECRET = 'the secret of the authorization matrix';

export async function makeHostedWorld(): Promise<HostedWorld> {
  const host = await startTestHost({ config: { BROKKR_JWT_SECRET: SECRET, ALLOW_PRIVATE_UPSTREAMS: '1' } });
  const world = await makeAccountWorld(host);
  return {
    ...world,
    dead: await deadCredentials(host, world.key.key),
    withHeaders: (headers) => ({
      send: (method, path, body) => api(host.url, undefined, '').send(method, path, body, { headers }),
    }),
    stop: host.stop,
  };
}

export async function makeAccountWorld(host: { anonymous: Api }): Promise<AccountWorld> {
  const owner = await makeAccount(host);
  const organization = owner.organizationId;
  const member = async (role: string) => {
    const account = await makeAccount(host);
    data(await owner.api.post(`/organizations/${organization}/members`, { email: account.email, role }));
    return account;
  };
  const users = {
    owner,
    admin: await member('admin'),
    developer: await member('developer'),
    viewer: await member('viewer'),
    "another organization's user": await makeAccount(host),
  };
  const key = data(await owner.api.post('/api-keys', { name: unique('key') }));
  return { host, users, organization, project: key.project_id, key };
}

async function deadCredentials(host: TestHost, key: string): Promise<HostedWorld['dead']> {
  const [ended, revoked, tenant] = [await makeAccount(host), await makeAccount(host), await makeTenant(host)];
  data(await revoked.api.post('/auth/logout'));
  const claims = JSON.parse(Buffer.from(ended.token.split('.')[1] ?? '', 'base64url').toString());
  const hoursAgo = Math.floor(Date.now() / 1000) - 7_200;
  const clock = { nowMs: () => Date.now(), monotonicMs: () => 0, sleep: async () => {} };
  const expired = await createAccessTokens(new TextEncoder().encode(SECRET), clock).sign({ ...claims, iat: hoursAgo });
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  return {
    'no credentials': {},
    'an empty header': { authorization: '' },
    garbage: bearer('garbage'),
    'another scheme': { authorization: `Basic ${ended.token}` },
    'an expired token': bearer(expired),
    'a revoked token': bearer(revoked.token),
    'a refresh token': bearer(ended.refreshToken),
    'a project key': bearer(key),
    'a project key as X-API-Key': { 'x-api-key': key },
    "an admin's PAK": { authorization: host.adminPak },
    "an agent's PAK": bearer(tenant.agent.pak),
    "a generator's PAK": bearer(tenant.generator.pak),
  };
}

/** A further member, for calls that change or remove one. */
export async function furtherMember({ host, users, organization }: AccountWorld): Promise<string> {
  const account = await makeAccount(host);
  data(await users.owner.api.post(`/organizations/${organization}/members`, { email: account.email, role: 'viewer' }));
  return account.id;
}
export const furtherProject = async ({ users, organization }: AccountWorld): Promise<string> =>
  data(await users.owner.api.post(`/organizations/${organization}/projects`, { name: unique('project') })).id;
export const furtherKey = async ({ users, project }: AccountWorld): Promise<string> =>
  data(await users.owner.api.post(`/projects/${project}/api-keys`, { name: unique('key') })).id;
export const furtherInvitation = async ({ users, organization }: AccountWorld): Promise<string> =>
  data(await users.owner.api.post(`/organizations/${organization}/members`, { email: uniqueEmail(), role: 'viewer' })).id;
/** A further organization with the same members. */
export async function furtherOrganization({ users }: AccountWorld): Promise<string> {
  const { id } = data(await users.owner.api.post('/organizations', { name: unique('organization') }));
  for (const role of MEMBERS.slice(1)) data(await users.owner.api.post(`/organizations/${id}/members`, { email: users[role].email, role }));
  return id;
}

/** Gives a user a new session, after all his sessions have ended. */
export async function signInAgain({ host, users }: AccountWorld, name: UserName): Promise<void> {
  const { email, password } = users[name];
  const { token } = data(await host.anonymous.post('/auth/login', { email, password }));
  Object.assign(users[name], { token, api: host.anonymous.as(`Bearer ${token}`) });
}
