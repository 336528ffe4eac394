import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { httpGroups } from '../../functions/registry.ts';
import type { AnyEndpoint } from '../../lib/platform/http/endpoint.ts';
import { pathsOf } from '../../lib/platform/http/router.ts';
import type { Answer } from '../harness/client.ts';
import { data } from '../identity/account-builder.ts';
import { type AccountRow, accountRows, PUBLIC } from './account-rows.ts';
import { type HostedWorld, makeHostedWorld, signInAgain, USERS } from './account-world.ts';

const all = httpGroups.flatMap(({ endpoints }) => endpoints);
const endpoints = all.filter(({ surface }) => ['dashboard', 'routing'].includes(surface.name));
const inference = all.filter(({ surface }) => surface.name === 'inference');

let world: HostedWorld;
beforeAll(async () => {
  world = await makeHostedWorld();
}, 60_000);
afterAll(() => world.stop());

const rows = endpoints.flatMap((endpoint) => {
  const row = accountRows[endpoint.id];
  return row === undefined || row === PUBLIC ? [] : [{ title: `${endpoint.method} ${endpoint.path}`, endpoint, row }];
});

async function send(endpoint: AnyEndpoint, row: AccountRow, headers: Record<string, string>): Promise<Answer> {
  const params = (await row.params?.(world)) ?? {};
  return sendTo(
    endpoint.path.replaceAll(/{(\w+)}/g, (_all, name: string) => params[name] ?? 'x'),
    endpoint,
    row,
    headers,
  );
}
const sendTo = (path: string, endpoint: AnyEndpoint, row: AccountRow, headers: Record<string, string>): Promise<Answer> =>
  world.withHeaders({ ...row.headers?.(world), ...headers }).send(endpoint.method, `${path}${row.query?.(world) ?? ''}`, row.body?.(world));

/** The project key of the world is alive, where keys may call. */
const withoutKeys = ({ 'a project key': _, 'a project key as X-API-Key': __, ...others }: HostedWorld['dead']) => others;

test('every surface has its matrix, and the table names every endpoint of the dashboard and nothing else', () => {
  expect([...new Set(all.map(({ surface }) => surface.name))].sort()).toEqual(['dashboard', 'fleet', 'inference', 'routing', 'system']);
  expect(Object.keys(accountRows).sort()).toEqual(endpoints.map(({ id }) => id).sort());
  const open = endpoints.filter(({ access }) => access === 'public').map(({ id }) => id);
  expect(open.sort()).toEqual(
    Object.entries(accountRows)
      .filter(([, row]) => row === PUBLIC)
      .map(([id]) => id)
      .sort(),
  );
});

describe('a caller without a live token', () => {
  test.each(rows)('$title answers a caller without a live token with 401 in the envelope', async ({ endpoint, row }) => {
    const path = endpoint.path.replaceAll(/{\w+}/g, '01ARZ3NDEKTSV4RRFFQ69G5FAV');
    const callers = endpoint.surface.name === 'routing' ? withoutKeys(world.dead) : world.dead;
    const answers = Object.entries(callers).map(async ([name, headers]) => {
      const { status, body } = await sendTo(path, endpoint, row, headers);
      return { name, status, type: body.error.type, data: body.data };
    });
    expect(await Promise.all(answers)).toEqual(
      Object.keys(callers).map((name) => ({ name, status: 401, type: 'UNAUTHORIZED', data: null })),
    );
  });
});

describe('a signed-in user', () => {
  test.each(rows)('$title answers each role by the table of permissions', async ({ endpoint, row }) => {
    const answered: Record<string, number> = {};
    for (const [index, name] of USERS.entries()) {
      const { email, password, token } = world.users[name];
      // These calls end the session that they come from.
      const ends = ['logout', 'revoke_all_sessions'].includes(endpoint.id);
      const used = ends ? data(await world.host.anonymous.post('/auth/login', { email, password })).token : token;
      const answer = await send(endpoint, row, { authorization: `Bearer ${used}` });
      answered[name] = answer.status;
      if (row.statuses[index] !== answer.status) answered[`${name}: ${answer.text}`] = answer.status;
      if (endpoint.id === 'revoke_all_sessions') await signInAgain(world, name);
      if (answer.status === 403 || answer.status === 404) expect(answer.body.data).toBeNull();
      // Nobody but its maker ever sees a key, and a refusal says nothing of the thing.
      expect(answer.text).not.toContain(world.key.key);
      if (index === USERS.length - 1 && answer.status === 404) expect(answer.text).not.toContain(world.users.owner.email);
    }
    expect(answered).toEqual(Object.fromEntries(USERS.map((name, index) => [name, row.statuses[index]])));
  });
});

describe("another organization's user", () => {
  // The built-in provider belongs to everybody.
  const named = rows.filter(({ endpoint, row }) => row.headers && row.params && !/^get_provider/.test(endpoint.id));
  test.each(named)('$title finds nothing of the organization by its id while meaning his own', async ({ endpoint, row }) => {
    const { token } = world.users["another organization's user"];
    const { status, body } = await send(endpoint, { ...row, headers: () => ({}) }, { authorization: `Bearer ${token}` });
    expect({ status, data: body.data }).toEqual({ status: 404, data: null });
  });

  const placed = rows.filter(({ endpoint }) => /^create_(budget|provider|api_key|project)$/.test(endpoint.id));
  test.each(placed)('$title makes nothing in a foreign project or organization that the body names', async ({ endpoint, row }) => {
    const { token } = world.users["another organization's user"];
    const { organization, project } = world;
    const body = { ...(row.body?.(world) as object), ...(endpoint.id === 'create_project' ? { organization_id: organization } : {}) };
    const bodies =
      endpoint.id === 'create_budget'
        ? [
            { ...body, scope: 'organization', scope_id: organization },
            { ...body, scope: 'project', scope_id: project },
            { ...body, scope: 'api_key', scope_id: world.key.id },
          ]
        : [endpoint.id === 'create_project' ? body : { ...body, project_id: project }];
    for (const given of bodies) {
      const answer = await send(endpoint, { ...row, headers: () => ({}), body: () => given }, { authorization: `Bearer ${token}` });
      expect([400, 404]).toContain(answer.status);
      expect(answer.body.data).toBeNull();
    }
  });
});

describe('other paths and methods', () => {
  test('every endpoint answers without the version in its path', async () => {
    for (const { endpoint, row } of rows.filter(({ endpoint }) => endpoint.method === 'GET' && endpoint.path.startsWith('/api/v1/'))) {
      const [, alias] = pathsOf(endpoint);
      const authorization = `Bearer ${world.users.owner.token}`;
      const { status } = await send({ ...endpoint, path: alias as `/${string}` }, row, { authorization });
      expect({ alias, status }).toEqual({ alias, status: row.statuses[0] });
    }
  });

  test('HEAD answers as GET does, without a body', async () => {
    for (const { endpoint, row } of rows.filter(({ endpoint }) => endpoint.method === 'GET')) {
      const authorization = `Bearer ${world.users.owner.token}`;
      const { status, text } = await send({ ...endpoint, method: 'HEAD' as never }, row, { authorization });
      expect({ id: endpoint.id, status, text }).toEqual({ id: endpoint.id, status: row.statuses[0], text: '' });
    }
  });
});

describe('a project key', () => {
  const both = rows.filter(({ endpoint }) => endpoint.surface.name === 'routing');
  test.each(both)('$title admits project keys by its rule', async ({ endpoint, row }) => {
    const allowed = endpoint.access !== 'public' && endpoint.access.principals.includes('project-key');
    const other = data(await world.users.owner.api.post('/api-keys', { name: `scope ${endpoint.id}`, scopes: ['write:telemetry'] }));
    const { status } = await send(endpoint, { ...row, headers: () => ({}) }, { 'x-api-key': world.key.key });
    expect(status).toBe(allowed ? row.statuses[0] : 403);
    expect((await send(endpoint, { ...row, headers: () => ({}) }, { 'x-api-key': other.key })).status).toBe(403);
  });
});

describe('a route of the inference API', () => {
  const titled = inference
    .filter(({ access }) => access !== 'public')
    .map((endpoint) => ({ title: `${endpoint.method} ${endpoint.path}`, endpoint }));
  const pathOf = ({ path }: AnyEndpoint) => path.replaceAll(/{\w+}/g, 'x');
  const ask = (endpoint: AnyEndpoint, headers: Record<string, string>) =>
    world.withHeaders(headers).send(endpoint.method, pathOf(endpoint), endpoint.body ? {} : undefined);

  test.each(titled)('$title answers 401 to everybody but a live project key', async ({ endpoint }) => {
    const { owner } = world.users;
    const revoked = data(await owner.api.post('/api-keys', { name: `revoked ${endpoint.id}` }));
    expect((await owner.api.delete(`/api-keys/${revoked.id}`)).status).toBe(204);
    const callers: Record<string, Record<string, string>> = {
      ...withoutKeys(world.dead),
      'a user': { authorization: `Bearer ${owner.token}` },
      'a revoked key': { 'x-api-key': revoked.key },
      'an unknown key': { 'x-api-key': `bk_${'a'.repeat(40)}` },
    };
    const answers = await Promise.all(
      Object.entries(callers).map(async ([name, headers]) => [name, (await ask(endpoint, headers)).status]),
    );
    expect(answers).toEqual(Object.keys(callers).map((name) => [name, 401]));
  });

  test.each(titled)('$title admits keys with its scope and no other key', async ({ endpoint }) => {
    const needed = /with (.+)$/.exec(endpoint.access === 'public' ? '' : endpoint.access.who)?.[1]?.split(' or ') ?? [];
    const admits = async (scopes: readonly string[]) => {
      const { key } = data(await world.users.owner.api.post('/api-keys', { name: `${endpoint.id} ${scopes}`, scopes }));
      const { status } = await ask(endpoint, { authorization: `Bearer ${key}` });
      expect(status).not.toBe(401);
      return status !== 403;
    };
    for (const scope of needed) expect(await admits([scope])).toBe(true);
    expect(await admits(['write:telemetry'])).toBe(needed.length === 0 || needed.includes('write:telemetry'));
  });
});
