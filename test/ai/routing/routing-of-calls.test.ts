import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../../database/test-queues.ts';
import { type Api, api } from '../../harness/client.ts';
import { startTestHost, type TestHost } from '../../harness/host.ts';
import { data } from '../../identity/account-builder.ts';
import { newProjectKey, type ProjectKey } from '../project-key.ts';
import { completion, type Script, type ScriptedUpstream, startUpstream } from '../scripted-upstream.ts';

let host: TestHost;
let one: ScriptedUpstream;
let other: ScriptedUpstream;
let key: ProjectKey;
let client: Api;

const answers =
  (text: string): Script =>
  (_call, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(completion(text)));
const refuses =
  (status: number, error: object = { message: 'no' }): Script =>
  (_call, response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));

beforeAll(async () => {
  host = await startTestHost({ config: { ALLOW_PRIVATE_UPSTREAMS: '1' } });
  [one, other] = [await startUpstream(answers('one')), await startUpstream(answers('other'))];
}, 30_000);
afterAll(async () => {
  await host.stop();
  await one.close();
  await other.close();
});
beforeEach(async () => {
  key = await newProjectKey(host);
  client = api(host.url, `Bearer ${key.key}`, '');
  one.script(answers('one'));
  other.script(answers('other'));
});

const add = async (id: string, upstream: ScriptedUpstream, more: object = {}) =>
  data(
    await key.account.api.post('/routing/providers', {
      type: 'openai-compatible',
      id,
      base_url: upstream.url,
      api_key: 'sk-of-the-upstream-0123',
      models: [{ id: 'm', prices: { input: 1, output: 1 } }],
      ...more,
    }),
  );
const ask = (model = 'm', more: object = {}) =>
  client.post('/v1/chat/completions', { model, messages: [{ role: 'user', content: 'hello' }], ...more });
const healthOf = async (id: string) => data(await key.account.api.get(`/routing/providers/${id}/health`));

test('a provider that was just added, changed or removed counts at the next call', async () => {
  expect((await ask()).status).toBe(404);
  await add('one', one);
  expect((await ask()).body.brokle.provider).toBe('one');
  await key.account.api.patch('/routing/providers/one', { enabled: false });
  expect((await ask()).status).toBe(503);
  await key.account.api.delete('/routing/providers/one');
  expect((await ask()).status).toBe(404);
});

test('the decision of a call is explained under the id in its answer', async () => {
  await add('one', one);
  await add('other', other, { priority: 1 });
  const answer = await ask();
  expect(answer.body.choices[0].message.content).toBe('other');
  const id = answer.headers['x-brokle-routing-decision-id'];
  expect(answer.body.brokle.routing_decision_id).toBe(id);
  await eventually(async () => {
    const decision = await key.account.api.get(`/routing/decisions/${id}`);
    expect(decision.body.data).toMatchObject({
      model: 'm',
      recommended_provider: 'other',
      candidates: [
        { provider: 'other', attempt: 1, priority: 1 },
        { provider: 'one', attempt: 2, priority: 0 },
      ],
    });
    expect(decision.text).not.toContain('sk-of-the-upstream');
  }, 20_000);
}, 40_000);

describe('health', () => {
  test('five failures open the circuit; calls go to the other provider without trying the first', async () => {
    one.script(refuses(500));
    await add('one', one, { priority: 1 });
    await add('other', other);
    for (let call = 0; call < 5; call++) expect((await ask()).body.choices[0].message.content).toBe('other');
    expect(await healthOf('one')).toMatchObject({
      status: 'degraded',
      circuit: { state: 'open', consecutive_failures: 5 },
      sample_count: 5,
      last_error: { type: 'failure', message: expect.stringMatching(/.+/) },
    });
    const before = one.calls.length;
    const answer = await ask();
    expect(answer.body.brokle).toMatchObject({ provider: 'other', attempts: 1 });
    expect(one.calls.length).toBe(before);
  });

  test('faults of callers and short limits leave a provider in good health', async () => {
    one.script(refuses(400, { message: 'bad request', type: 'invalid_request_error' }));
    await add('one', one);
    for (let call = 0; call < 6; call++) expect((await ask()).status).toBe(400);
    expect(await healthOf('one')).toMatchObject({ status: 'active', health_score: 1, circuit: { state: 'closed' } });
  });

  test.each([
    ['5', 0, 1],
    ['3600', 1, 0.98],
  ])('a 429 with retry-after %s counts %i times', async (wait, counted, score) => {
    one.script((_call, response) =>
      response.writeHead(429, { 'content-type': 'application/json', 'retry-after': wait }).end('{"error":{"message":"slow"}}'),
    );
    await add('one', one, { priority: 1 });
    await add('other', other);
    expect((await ask()).body.brokle.provider).toBe('other');
    expect(await healthOf('one')).toMatchObject({ sample_count: counted, health_score: score });
  });

  test('a refused key makes the provider inactive until it gets another one', async () => {
    one.script(refuses(401, { message: 'Incorrect API key provided: sk-of***0123' }));
    await add('one', one);
    expect((await ask()).status).toBe(502);
    expect(await healthOf('one')).toMatchObject({ status: 'inactive', circuit: { state: 'open' } });
    one.script(answers('one'));
    await key.account.api.patch('/routing/providers/one', { api_key: 'sk-another-key-4567' });
    await eventually(async () => expect(await healthOf('one')).toMatchObject({ status: 'active' }));
    expect((await ask()).status).toBe(200);
  });
});

test('a group sends calls to its targets, and a call’s fallbacks come after', async () => {
  await add('one', one);
  await add('other', other);
  await key.account.api.post('/routing/groups', { id: 'team', targets: [{ model: 'one/x' }] });
  const answer = await ask('team');
  expect(answer.body.brokle.provider).toBe('one');
  expect(one.calls.at(-1)?.body.model).toBe('x');
  one.script(refuses(500));
  expect((await ask('team', { brokle: { fallbacks: ['other/y'] } })).body.brokle.provider).toBe('other');
  expect(other.calls.at(-1)?.body.model).toBe('y');
});

test('calls are spread by weights', async () => {
  await add('one', one, { weight: 75 });
  await add('other', other, { weight: 25 });
  const before = one.calls.length;
  for (let call = 0; call < 60; call++) await ask();
  const share = (one.calls.length - before) / 60;
  expect(share).toBeGreaterThan(0.5);
  expect(share).toBeLessThan(0.95);
}, 30_000);

describe('POST /v1/route', () => {
  const route = (body: object) => client.post('/v1/route', body);

  test('says where a request would go, and sends nothing', async () => {
    await add('one', one, { models: [{ id: 'm', quality: 0.9, prices: { input: 3, output: 6 } }] });
    await add('other', other, { models: [{ id: 'm', prices: { input: 1, output: 2 } }] });
    const before = one.calls.length + other.calls.length;
    const answer = await route({ model: 'm', messages: [{ role: 'user', content: 'hello' }], max_tokens: 100, metadata: { a: 1 } });
    expect(answer.body).toMatchObject({
      success: true,
      data: {
        provider: 'other',
        model: 'm',
        endpoint: `${other.url}/chat/completions`,
        strategy: 'cost_optimized',
        estimated_cost: expect.any(Number),
        quality_score: null,
        cache_hit: false,
        provider_health: 1,
        metadata: { a: 1 },
        alternatives: [{ provider: 'one', model: 'm' }],
      },
      error: null,
    });
    expect(data(await route({ model: 'm', prompt: 'hello', strategy: 'quality_optimized' }))).toMatchObject({
      provider: 'one',
      quality_score: 0.9,
    });
    expect(data(await route({ model: 'm', provider: 'one', prompt: 'hello' }))).toMatchObject({ provider: 'one', alternatives: [] });
    expect(one.calls.length + other.calls.length).toBe(before);
    const explained = await key.account.api.get(`/routing/decisions/${answer.body.data.decision_id}`);
    expect(explained.status).toBe(200);
  });

  test.each([
    [{ model: 'm' }, 400],
    [{ messages: [{}] }, 400],
    [{ model: 'unknown', prompt: 'hello' }, 404],
    [{ model: 'm', prompt: 'x', strategy: 'luck' }, 400],
  ])('%j is refused with %i in OpenAI’s words', async (body, status) => {
    await add('one', one);
    const answer = await route(body);
    expect(answer.status).toBe(status);
    expect(answer.body.error).toMatchObject({ message: expect.any(String), type: 'invalid_request_error' });
  });
});

test('the list of models has each provider’s models with and without its prefix', async () => {
  await add('one', one);
  const { body } = await client.get('/v1/models');
  const ids = body.data.map(({ id }: { id: string }) => id);
  expect(ids).toEqual(expect.arrayContaining(['one/m', 'm', 'simulated/echo']));
  expect(body.data.every(({ created }: { created: number }) => created === body.data[0].created)).toBe(true);
  expect((await client.get('/v1/models/one%2Fm')).body).toMatchObject({ id: 'one/m', object: 'model', owned_by: 'one' });
});
