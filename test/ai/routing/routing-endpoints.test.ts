import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Api, api } from '../../harness/client.ts';
import { startTestHost, type TestHost } from '../../harness/host.ts';
import { type Account, data, makeAccount, refusal } from '../../identity/account-builder.ts';

let host: TestHost;
let account: Account;
let key: string;
beforeAll(async () => {
  host = await startTestHost();
});
afterAll(() => host.stop());
beforeEach(async () => {
  account = await makeAccount(host);
  key = await projectKey(account);
});

const projectKey = async (of: Account, scopes?: string[]): Promise<string> =>
  data(await of.api.post('/api-keys', { name: `key ${Math.floor(performance.now() * 1000)}`, ...(scopes && { scopes }) })).key;
const withKey = (value = key): Api => api(host.url, `Bearer ${value}`);
const OPENAI = { type: 'openai', api_key: 'sk-0123456789abcdefABCD' };
const groq = { type: 'openai-compatible', preset: 'groq', api_key: 'gsk-0123456789abcdef' };
const add = async (body: object) => data(await account.api.post('/routing/providers', body));

describe('providers', () => {
  test('a new organization has the simulated provider alone', async () => {
    const list = await account.api.get('/routing/providers');
    expect(data(list)).toMatchObject([{ id: 'simulated', status: 'active', health_score: 1 }]);
    expect(list.body.meta.pagination).toMatchObject({ total: 1 });
  });

  test('a provider is created, listed, changed and removed, and its key is in no answer and no log', async () => {
    const made = await account.api.post('/routing/providers', { ...OPENAI, models: ['gpt-4o', { id: 'gpt-4', quality: 0.9 }] });
    expect(made.status).toBe(201);
    expect(made.headers.location).toBe('/api/v1/routing/providers/openai');
    expect(made.body.data).toMatchObject({
      id: 'openai',
      name: 'OpenAI',
      type: 'openai',
      status: 'active',
      models: ['gpt-4o', 'gpt-4'],
      api_key_preview: 'sk-0...ABCD',
      weight: 1,
      circuit_state: 'closed',
    });
    const changed = await account.api.patch('/routing/providers/openai', { weight: 30, enabled: false });
    expect(changed.body.data).toMatchObject({ weight: 30, status: 'inactive', models: ['gpt-4o', 'gpt-4'] });
    const list = await account.api.get('/routing/providers');
    expect(list.body.data.map(({ id }: { id: string }) => id)).toEqual(['openai', 'simulated']);
    expect((await account.api.delete('/routing/providers/openai')).status).toBe(204);
    expect(refusal(await account.api.get('/routing/providers/openai'))).toEqual({
      status: 404,
      type: 'NOT_FOUND',
      code: 'PROVIDER_NOT_FOUND',
    });
    for (const text of [made.text, changed.text, list.text, host.logged.join()]) expect(text).not.toContain(OPENAI.api_key);
  });

  test.each<[object, number, string, string]>([
    [{ ...OPENAI, id: 'simulated' }, 409, 'PROVIDER_ALREADY_EXISTS', 'simulated'],
    [{ type: 'openai' }, 400, 'REQUIRED_FIELD_MISSING', 'api_key'],
    [{ api_key: OPENAI.api_key }, 400, 'REQUIRED_FIELD_MISSING', 'type: is missing'],
    [{ ...OPENAI, type: 'nobody' }, 400, 'INVALID_INPUT', 'type'],
    [{ ...OPENAI, weight: 101 }, 400, 'VALUE_OUT_OF_RANGE', 'weight'],
    [{ ...OPENAI, priority: -1 }, 400, 'VALUE_OUT_OF_RANGE', 'priority'],
    [{ ...OPENAI, colour: 'red' }, 400, 'INVALID_INPUT', 'colour'],
    [{ ...OPENAI, base_url: 'http://api.example.com/v1' }, 400, 'INVALID_INPUT', 'base_url: only https:// URLs'],
    [{ ...OPENAI, base_url: 'http://127.0.0.1:11434/v1' }, 400, 'INVALID_INPUT', 'ALLOW_PRIVATE_UPSTREAMS=1'],
    [{ ...OPENAI, base_url: 'https://169.254.169.254/latest' }, 400, 'INVALID_INPUT', 'base_url'],
    [{ ...OPENAI, base_url: 'https://127.0.0.1/v1' }, 400, 'INVALID_INPUT', 'base_url'],
    [{ ...OPENAI, base_url: 'https://user:pass@api.example.com/v1' }, 400, 'INVALID_INPUT', 'base_url'],
  ])('%j is refused with %i %s', async (body, status, code, named) => {
    const answer = await account.api.post('/routing/providers', body);
    expect({ status: answer.status, code: answer.body.error.code }).toEqual({ status, code });
    expect(JSON.stringify(answer.body.error)).toContain(named);
    expect(answer.text).not.toContain(OPENAI.api_key);
  });

  test('a second provider with the same id is 409, another id is a second account at the same service', async () => {
    await add(OPENAI);
    expect(refusal(await account.api.post('/routing/providers', OPENAI))).toEqual({
      status: 409,
      type: 'CONFLICT',
      code: 'PROVIDER_ALREADY_EXISTS',
    });
    expect(await add({ ...OPENAI, id: 'openai-eu' })).toMatchObject({ id: 'openai-eu' });
  });

  test('a creation that is repeated with its Idempotency-Key gets the first answer', async () => {
    const headers = { 'idempotency-key': 'once' };
    const first = await account.api.post('/routing/providers', OPENAI, { headers });
    const again = await account.api.post('/routing/providers', OPENAI, { headers });
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.body.data).toEqual(first.body.data);
    const differs = await account.api.post('/routing/providers', { ...OPENAI, id: 'another' }, { headers });
    expect(refusal(differs)).toMatchObject({ status: 409, code: 'IDEMPOTENCY_CONFLICT' });
  });

  test('Azure’s address may carry its version', async () => {
    const azure = { type: 'azure', api_key: 'k', base_url: 'https://me.openai.azure.com?api-version=2024-10-21' };
    expect(await add(azure)).toMatchObject({ id: 'azure', base_url: azure.base_url });
  });

  test('another organization sees nothing of it', async () => {
    await add(OPENAI);
    const stranger = await makeAccount(host);
    expect(data(await stranger.api.get('/routing/providers'))).toHaveLength(1);
    for (const path of ['/routing/providers/openai', '/routing/providers/openai/health'])
      expect((await stranger.api.get(path)).status).toBe(404);
    expect((await stranger.api.patch('/routing/providers/openai', { weight: 1 })).status).toBe(404);
    const asIfThere = await stranger.api.get('/routing/providers', { headers: { 'x-organization-id': account.organizationId } });
    expect(refusal(asIfThere)).toEqual({ status: 404, type: 'NOT_FOUND', code: 'ORG_NOT_FOUND' });
  });

  test('the path without a version means the same', async () => {
    expect(data(await host.root.as(`Bearer ${account.token}`).get('/api/routing/providers'))).toHaveLength(1);
  });

  test('the health of an unused provider is good, and that of an unknown one is 404', async () => {
    await add(OPENAI);
    expect(data(await account.api.get('/routing/providers/openai/health'))).toEqual({
      provider_id: 'openai',
      status: 'active',
      health_score: 1,
      success_rate: 1,
      avg_latency_ms: null,
      p95_latency_ms: null,
      p99_latency_ms: null,
      requests_per_minute: 0,
      errors_per_minute: 0,
      last_error: null,
      uptime_percentage: 100,
      circuit: { state: 'closed', opened_at: null, retry_at: null, consecutive_failures: 0 },
      window_seconds: 300,
      sample_count: 0,
      last_checked_at: null,
    });
    expect((await account.api.get('/routing/providers/nobody/health')).status).toBe(404);
  });
});

describe('decisions', () => {
  test('the seed’s example costs its prompt and its answer', async () => {
    await add(OPENAI);
    const advice = data(
      await account.api.post('/routing/decisions', { model: 'gpt-4', prompt_length: 1_500, max_tokens: 500, priority: 'balanced' }),
    );
    expect(advice).toMatchObject({
      model: 'gpt-4',
      recommended_provider: 'openai',
      recommended_model: 'gpt-4',
      estimated_cost: 0.075,
      alternatives: [],
    });
    expect(advice.decision_id).toMatch(/^rd_[0-9A-Z]{26}$/);
  });

  test('a decision is explained with every candidate, and made again by other weights', async () => {
    await add({ ...OPENAI, models: [{ id: 'm', quality: 0.95, prices: { input: 10, output: 10 } }] });
    await add({ ...groq, models: [{ id: 'm', quality: 0.5, prices: { input: 1, output: 1 } }] });
    const advice = data(await account.api.post('/routing/decisions', { model: 'm', prompt_length: 1_000, priority: 'quality_optimized' }));
    expect(advice).toMatchObject({ recommended_provider: 'openai', alternatives: [{ provider: 'groq' }] });
    const explained = data(await account.api.get(`/routing/decisions/${advice.decision_id}`));
    expect(explained).toMatchObject({
      priority: 'quality',
      weights: { cost: 0.05, latency: 0.1, quality: 0.7, health: 0.15 },
      candidates: [
        { provider: 'openai', attempt: 1, features: { cost: 0.1, latency: 1, quality: 0.95, health: 1 }, confidence_score: 0.92 },
        { provider: 'groq', attempt: 2, features: { cost: 1, quality: 0.5 } },
      ],
    });
    const replay = (body: object) => account.api.post(`/routing/decisions/${advice.decision_id}/replay`, body);
    expect(data(await replay({ priority: 'cost' }))).toMatchObject({ recommended_provider: 'groq', priority: 'cost' });
    expect(data(await replay({ weights: { cost: 0, latency: 0, quality: 5, health: 5 } }))).toMatchObject({
      recommended_provider: 'openai',
      confidence_score: 0.975,
    });
    expect((await replay({ weights: { cost: 0, latency: 0, quality: 0, health: 0 } })).status).toBe(400);
    const stranger = await makeAccount(host);
    expect((await stranger.api.get(`/routing/decisions/${advice.decision_id}`)).status).toBe(404);
  });

  test('an unknown model is 404, and a model that nobody may serve is 503', async () => {
    await add({ ...OPENAI, enabled: false });
    expect(refusal(await account.api.post('/routing/decisions', { model: 'no-such-model' }))).toEqual({
      status: 404,
      type: 'NOT_FOUND',
      code: 'MODEL_NOT_FOUND',
    });
    const nobody = await account.api.post('/routing/decisions', { model: 'gpt-4o' });
    expect(refusal(nobody)).toEqual({ status: 503, type: 'PROVIDER_ERROR', code: 'NO_PROVIDER_AVAILABLE' });
    expect(nobody.text).toContain('the provider is disabled');
  });

  test('a project key with write:routing may ask, one without it may not', async () => {
    await add(OPENAI);
    expect((await withKey().post('/routing/decisions', { model: 'gpt-4o' })).status).toBe(200);
    const reader = withKey(await projectKey(account, ['read:metrics']));
    expect(refusal(await reader.post('/routing/decisions', { model: 'gpt-4o' }))).toEqual({
      status: 403,
      type: 'FORBIDDEN',
      code: 'INSUFFICIENT_SCOPE',
    });
    expect(data(await reader.get('/routing/providers'))).toHaveLength(2);
    expect((await reader.post('/routing/providers', OPENAI)).status).toBe(403);
  });
});

describe('groups, prices and policy', () => {
  const group = {
    id: 'fast',
    targets: [{ model: 'openai/gpt-4o-mini', weight: 3 }, { model: 'groq/llama-3.3-70b-versatile' }],
    priority: 'latency',
  };
  const price = { provider: 'openai', model: 'gpt-4o', currency: 'USD', unit: 'per_1m_tokens', input: 1, output: 2 };
  const decide = async (body: object) => data(await account.api.post('/routing/decisions', body));

  test('a group is created, asked for, changed and removed', async () => {
    await add(OPENAI);
    await add(groq);
    expect((await account.api.post('/routing/groups', group)).status).toBe(201);
    expect(refusal(await account.api.post('/routing/groups', group))).toMatchObject({ status: 409, code: 'NAME_ALREADY_EXISTS' });
    const advice = await decide({ model: 'fast' });
    expect([advice.recommended_provider, ...advice.alternatives.map(({ provider }: { provider: string }) => provider)].sort()).toEqual([
      'groq',
      'openai',
    ]);
    expect(data(await account.api.patch('/routing/groups/fast', { priority: null }))).toMatchObject({ ...group, priority: null });
    expect(data(await account.api.get('/routing/groups'))).toHaveLength(1);
    expect((await account.api.delete('/routing/groups/fast')).status).toBe(204);
    expect((await account.api.delete('/routing/groups/fast')).status).toBe(404);
    expect(refusal(await account.api.post('/routing/decisions', { model: 'fast' }))).toMatchObject({
      status: 404,
      code: 'MODEL_NOT_FOUND',
    });
  });

  test('a price override holds for the next decision, and no more when it is removed', async () => {
    await add(OPENAI);
    const question = { model: 'gpt-4o', prompt_length: 1_000_000, max_tokens: 1_000 };
    const before = await decide(question);
    const made = await account.api.post('/routing/prices', price);
    expect(made.status).toBe(201);
    expect(made.body.data).toMatchObject(price);
    expect((await decide(question)).estimated_cost).toBe(1.002);
    expect(data(await account.api.get(`/routing/prices/${made.body.data.id}`))).toEqual(made.body.data);
    expect((await account.api.delete(`/routing/prices/${made.body.data.id}`)).status).toBe(204);
    expect((await decide(question)).estimated_cost).toBe(before.estimated_cost);
  });

  test('a price override of the future does not hold yet', async () => {
    await add(OPENAI);
    const question = { model: 'gpt-4o', prompt_length: 1_000_000, max_tokens: 1_000 };
    const before = await decide(question);
    await account.api.post('/routing/prices', { ...price, valid_from: '2099-01-01T00:00:00+02:00' });
    expect((await decide(question)).estimated_cost).toBe(before.estimated_cost);
  });

  test.each<[string, object, string]>([
    ['/routing/groups', { ...group, colour: 1 }, 'colour'],
    ['/routing/groups', { ...group, targets: [] }, 'targets'],
    ['/routing/groups', { ...group, targets: [{ model: 'no-prefix' }] }, 'targets.0.model'],
    ['/routing/prices', { ...price, unit: 'per_token' }, 'unit'],
    ['/routing/prices', { ...price, input: -1 }, 'input'],
    ['/routing/prices', { ...price, per_page: 1 }, 'per_page'],
    ['/routing/prices', { ...price, steps: [{ input: 1 }] }, 'steps.0.above_prompt_tokens'],
    ['/routing/prices', { ...price, service_tiers: { flex: { per_request: 1 } } }, 'per_request'],
  ])('%s refuses %j and names %s', async (path, body, member) => {
    const answer = await account.api.post(path, body);
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body.error)).toContain(member);
  });

  test('a project’s policy is a default of its decisions, and excluded providers stay out', async () => {
    await add({ ...OPENAI, models: [{ id: 'm', prices: { input: 10, output: 10 } }] });
    await add({ ...groq, models: [{ id: 'm', prices: { input: 1, output: 1 } }] });
    const { project_id } = data(await account.api.post('/api-keys', { name: 'for its project' }));
    const path = `/projects/${project_id}/routing-policy`;
    expect(data(await account.api.get(path))).toEqual({ priority: 'balanced' });
    const policy = { priority: 'cost', max_retries: 1, hedge_after_ms: 500, exclude_providers: ['groq'] };
    expect(data(await account.api.put(path, policy))).toEqual(policy);
    expect(await decide({ model: 'm' })).toMatchObject({ recommended_provider: 'openai', alternatives: [] });
    expect((await account.api.put(path, { ...policy, timeout: 3 })).status).toBe(400);
    const stranger = await makeAccount(host);
    expect((await stranger.api.put(path, policy)).status).toBe(404);
  });
});
