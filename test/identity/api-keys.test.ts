import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mintKey } from '../../lib/identity/api-keys/api-key.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { type Account, data, makeAccount, refusal } from './account-builder.ts';
import { type TurningClock, turningClock } from './turning-clock.ts';

let host: TestHost;
let clock: TurningClock;
let account: Account;
beforeAll(async () => {
  clock = turningClock();
  host = await startTestHost({ clock });
  account = await makeAccount(host);
});
afterAll(() => host.stop());

const validate = (key: string | undefined, headers: Record<string, string> = {}) =>
  host.root.post('/v1/auth/validate-key', undefined, { headers: { 'x-api-key': key, ...headers } });
let made = 0;
const makeKey = async (given: object = {}) => data(await account.api.post('/api-keys', { name: `key ${++made}`, ...given }));

describe('a new API key', () => {
  test('a new key is shown once, with prefix, preview and all scopes, and is never in the list', async () => {
    const answer = await account.api.post('/api-keys', { name: 'Production' });
    expect(answer.status).toBe(201);
    const { key, ...shown } = answer.body.data;
    expect(key).toMatch(/^bk_[A-Za-z0-9]{40}$/);
    expect(shown).toMatchObject({
      name: 'Production',
      key_prefix: `${key.slice(0, 7)}...`,
      key_preview: `${key.slice(0, 7)}...${key.slice(-4)}`,
      status: 'active',
      scopes: ['read:metrics', 'write:routing', 'write:completions', 'write:embeddings', 'read:models', 'write:telemetry'],
      limits: {},
      last_used_at: null,
      expires_at: null,
      created_by: account.id,
    });
    const list = await account.api.get('/api-keys');
    expect(list.body.data).toContainEqual(shown);
    expect(list.text).not.toContain(key);
    expect(list.body.meta.pagination).toMatchObject({ page: 1, page_size: 20, total_page: 1, has_next: false, has_prev: false });
    expect(host.logged.join()).not.toContain(key);
  });

  test('secrets use all 62 characters about equally often', () => {
    const counts = new Map<string, number>();
    for (let n = 0; n < 1_000; n++) for (const character of mintKey().key.slice(3)) counts.set(character, (counts.get(character) ?? 0) + 1);
    expect(counts.size).toBe(62);
    // 40,000 characters: 645 of each, give or take 25.
    expect(Math.min(...counts.values())).toBeGreaterThan(510);
    expect(Math.max(...counts.values())).toBeLessThan(780);
  });

  test.each([
    [{ name: 'x' }, 'VALUE_OUT_OF_RANGE', 'name'],
    [{ name: 'ok', scopes: [] }, 'VALUE_OUT_OF_RANGE', 'scopes'],
    [{ name: 'ok', scopes: ['write:everything'] }, 'INVALID_INPUT', 'scopes.0'],
    [{ name: 'ok', expires_at: '2020-01-01T00:00:00Z' }, 'VALUE_OUT_OF_RANGE', 'expires_at'],
    [{ name: 'ok', expires_at: 'tomorrow' }, 'INVALID_FORMAT', 'expires_at'],
    [{ name: 'ok', limits: { requests_per_minute: 0 } }, 'VALUE_OUT_OF_RANGE', 'limits.requests_per_minute'],
    [{ name: 'ok', project_id: 'x' }, 'INVALID_INPUT', 'project_id'],
  ])('a key with %j is refused as %s and names %s', async (body, code, field) => {
    const answer = await account.api.post('/api-keys', body);
    expect(refusal(answer)).toEqual({ status: 400, type: 'VALIDATION_ERROR', code });
    expect(answer.body.error.details.field).toBe(field);
  });

  test('an unknown member is refused and named', async () => {
    const answer = await account.api.post('/api-keys', { name: 'ok', scope: ['read:metrics'] });
    expect(answer.status).toBe(400);
    expect(answer.body.error.details.field).toBe('scope');
  });

  test('two keys of a project can’t have one name, and a revoked key’s name is free again', async () => {
    const { id } = await makeKey({ name: 'twice' });
    const again = await account.api.post('/api-keys', { name: 'twice' });
    expect(refusal(again)).toEqual({ status: 409, type: 'CONFLICT', code: 'NAME_ALREADY_EXISTS' });
    expect((await account.api.delete(`/api-keys/${id}`)).status).toBe(204);
    await makeKey({ name: 'twice' });
  });
});

describe('POST /v1/auth/validate-key', () => {
  test('a live key is answered with its project, plan and scopes, by either header', async () => {
    const { key, id, name, project_id } = await makeKey({ scopes: ['read:metrics', 'write:routing'] });
    const expected = {
      valid: true,
      project_id,
      organization_id: account.organizationId,
      environment: 'production',
      tier: 'free',
      permissions: ['read:metrics', 'write:routing'],
      scopes: ['read:metrics', 'write:routing'],
      api_key: { id, name },
    };
    expect(data(await validate(key))).toEqual(expected);
    expect(data(await validate(undefined, { authorization: `Bearer ${key}` }))).toEqual(expected);
    expect(data(await validate(key, { authorization: 'Bearer bk_other' }))).toEqual(expected);
  });

  test('a missing key is 400, a malformed or unknown one 401', async () => {
    expect(refusal(await validate(undefined))).toMatchObject({ status: 400, code: 'REQUIRED_FIELD_MISSING' });
    for (const key of ['x', 'bk_short', `bk_${'-'.repeat(40)}`, mintKey().key])
      expect(refusal(await validate(key))).toEqual({ status: 401, type: 'UNAUTHORIZED', code: 'API_KEY_INVALID' });
  });
});

describe('a key that changes', () => {
  test('a revoked key is refused at once where it was revoked, and its second removal is 404', async () => {
    const { key, id } = await makeKey();
    data(await validate(key));
    expect(await account.api.delete(`/api-keys/${id}`)).toMatchObject({ status: 204, text: '' });
    expect(refusal(await validate(key))).toEqual({ status: 401, type: 'UNAUTHORIZED', code: 'API_KEY_REVOKED' });
    expect(refusal(await account.api.delete(`/api-keys/${id}`))).toMatchObject({ status: 404, code: 'API_KEY_NOT_FOUND' });
  });

  test('a key ends to the second, whatever is in memory', async () => {
    const { key } = await makeKey({ expires_at: new Date(clock.nowMs() + 1_500).toISOString() });
    data(await validate(key));
    clock.turn(1_600);
    expect(refusal(await validate(key))).toEqual({ status: 401, type: 'UNAUTHORIZED', code: 'API_KEY_EXPIRED' });
  });

  test('a scope or limit that is taken away, and an inactive key, are seen at once here', async () => {
    const { key, id } = await makeKey();
    data(await validate(key));
    const changed = data(await account.api.patch(`/api-keys/${id}`, { scopes: ['read:models'], limits: { requests_per_minute: 5 } }));
    expect(changed).toMatchObject({ scopes: ['read:models'], limits: { requests_per_minute: 5 } });
    expect(data(await validate(key)).scopes).toEqual(['read:models']);
    data(await account.api.put(`/api-keys/${id}`, { status: 'inactive' }));
    expect((await validate(key)).status).toBe(401);
  });
});

describe('a developer', () => {
  test('ends no key that another member made, neither by revoking it nor by a change', async () => {
    const developer = await makeAccount(host);
    data(await account.api.post(`/organizations/${account.organizationId}/members`, { email: developer.email, role: 'developer' }));
    const { id, project_id } = await makeKey();
    for (const change of [{ status: 'inactive' }, { expires_at: new Date(clock.nowMs() + 60_000).toISOString() }])
      expect(refusal(await developer.api.patch(`/api-keys/${id}`, change))).toMatchObject({
        status: 403,
        code: 'INSUFFICIENT_PERMISSIONS',
      });
    data(await developer.api.patch(`/api-keys/${id}`, { name: 'renamed' }));
    const own = data(await developer.api.post('/api-keys', { name: 'own', project_id })).id;
    expect(data(await developer.api.patch(`/api-keys/${own}`, { status: 'inactive' })).status).toBe('inactive');
  });

  test('a stranger’s key is not there: 404 to read, change and delete', async () => {
    const { id, project_id } = await makeKey();
    const stranger = await makeAccount(host);
    for (const answer of [
      await stranger.api.get(`/api-keys/${id}`),
      await stranger.api.patch(`/api-keys/${id}`, { name: 'mine' }),
      await stranger.api.delete(`/api-keys/${id}`),
    ])
      expect(refusal(answer)).toEqual({ status: 404, type: 'NOT_FOUND', code: 'API_KEY_NOT_FOUND' });
    for (const answer of [
      await stranger.api.get(`/api-keys?project_id=${project_id}`),
      await stranger.api.post('/api-keys', { name: 'ok', project_id }),
      await stranger.api.get(`/projects/${project_id}/api-keys`),
    ])
      expect(refusal(answer)).toEqual({ status: 404, type: 'NOT_FOUND', code: 'PROJECT_NOT_FOUND' });
  });
});
