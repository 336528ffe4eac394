import { afterAll, beforeAll, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { callLogTable, callPks } from '../../lib/ai/records/call-log-table.ts';
import { CallRecord } from '../../lib/ai/records/call-record.ts';
import { costOfRow } from '../../lib/ai/records/rollups/fold-records.ts';
import { rollupPk, rollupTable } from '../../lib/ai/records/rollups/rollup-table.ts';
import { eventually } from '../database/test-queues.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { newProjectKey, type ProjectKey } from './project-key.ts';

let host: TestHost;
let key: ProjectKey;
let openai: OpenAI;
beforeAll(async () => {
  host = await startTestHost();
  key = await newProjectKey(host);
  openai = new OpenAI({ apiKey: key.key, baseURL: `${host.url}/v1`, maxRetries: 0 });
}, 30_000);
afterAll(() => host.stop());

const ask = { model: 'simulated/echo', messages: [{ role: 'user' as const, content: 'Hello there' }] };

test('a user who has just registered gets a whole answer and a stream from the openai client', async () => {
  const answer = await openai.chat.completions.create(ask);
  expect(answer).toMatchObject({
    object: 'chat.completion',
    choices: [{ message: { role: 'assistant' }, finish_reason: 'stop' }],
    brokle: { provider: 'simulated', attempts: 1 },
  });
  const stream = await openai.chat.completions.create({ ...ask, stream: true, stream_options: { include_usage: true } });
  let text = '';
  let usage: unknown;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? '';
    usage = chunk.usage ?? usage;
  }
  expect(text).toBe(answer.choices[0]?.message.content);
  expect(usage).toMatchObject({ prompt_tokens: expect.any(Number), completion_tokens: answer.usage?.completion_tokens });
});

test('each call leaves one record with its usage and cost, and is counted', async () => {
  const fresh = await newProjectKey(host);
  const client = new OpenAI({ apiKey: fresh.key, baseURL: `${host.url}/v1` });
  const costs: number[] = [];
  for (let n = 0; n < 3; n++) costs.push(Number(Object(await client.chat.completions.create(ask)).brokle.cost));
  const store = host.app.services.database;
  const records = async () => {
    const pages = await Promise.all(callPks(fresh.project_id).map((pk) => store.query(callLogTable.name, { pk })));
    return pages.flatMap(({ items }) => items.map(({ record }) => CallRecord.parse(JSON.parse(String(record)))));
  };
  await eventually(async () => expect(await records()).toHaveLength(3), 15_000);
  for (const record of await records())
    expect(record).toMatchObject({
      outcome: 'success',
      provider: 'simulated',
      operation: 'chat',
      api_key_id: fresh.id,
      usage: { prompt_tokens: expect.any(Number) },
    });
  const [row] = (await store.query(rollupTable.name, { pk: rollupPk(fresh.project_id, 'day', 'all') })).items;
  expect(row).toMatchObject({ requests: 3, outcome_success: 3 });
  expect(Number(costOfRow(row ?? {})) / 1e12).toBeCloseTo(
    costs.reduce((sum, cost) => sum + cost, 0),
    12,
  );
}, 30_000);

test('the answer’s headers name the request, its limits and its provider', async () => {
  const { response, data } = await openai.chat.completions.create(ask).withResponse();
  const header = (name: string) => response.headers.get(name);
  expect(header('x-request-id')).toBe(header('request-id'));
  expect(Object(data).brokle.request_id).toBe(header('x-request-id'));
  expect(header('x-request-id')).toMatch(/^req_[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
  expect(header('x-brokle-provider')).toBe('simulated');
  expect(Number(header('x-ratelimit-remaining'))).toBeLessThan(Number(header('x-ratelimit-limit')));
  expect(header('x-ratelimit-limit-requests')).toBe(header('x-ratelimit-limit'));
  expect(header('x-ratelimit-reset-requests')).toMatch(/^(\d+h)?(\d+m)?[\d.]+m?s$/);
});

test('the request log shows a project’s calls to its members, newest first, and to nobody else', async () => {
  const fresh = await newProjectKey(host);
  const client = new OpenAI({ apiKey: fresh.key, baseURL: `${host.url}/v1`, maxRetries: 0 });
  await client.chat.completions.create({ ...ask, ...{ brokle: { tags: ['night'], user_id: 'u-1' } } });
  await expect(client.chat.completions.create({ ...ask, model: 'nobody/knows' })).rejects.toMatchObject({
    status: 404,
    code: 'model_not_found',
  });
  const list = async (query = '') => (await fresh.account.api.get(`/analytics/requests${query}`)).body;
  await eventually(async () => expect((await list()).data).toHaveLength(2), 15_000);
  const { data } = await list(`?project_id=${fresh.project_id}`);
  expect(data).toMatchObject([
    { outcome: 'error', status_code: 404, requested_model: 'nobody/knows', attempts: [] },
    {
      outcome: 'success',
      status_code: 200,
      provider: 'simulated',
      tags: ['night'],
      user: 'u-1',
      usage: { prompt_tokens: expect.any(Number) },
    },
  ]);
  for (const [query, count] of [
    ['?tag=night', 1],
    ['?tag=day', 0],
    ['?status=error', 1],
    ['?status=200', 1],
    [`?request_id=${data[0].request_id}`, 1],
    ['?user=u-1', 1],
  ] as const)
    expect({ query, found: (await list(query)).data.length }).toEqual({ query, found: count });
  const first = await list('?limit=1');
  const second = await list(`?limit=1&cursor=${first.meta.next_cursor}`);
  expect([first, second].map(({ data: [call] }) => call.request_id)).toEqual(
    data.map(({ request_id }: { request_id: string }) => request_id),
  );
  expect((await key.account.api.get(`/analytics/requests?project_id=${fresh.project_id}`)).status).toBe(404);
}, 30_000);

test('the list of models is stable, and each of its models can be fetched by its id', async () => {
  const { data: models } = await openai.models.list();
  const [first] = models;
  expect(models.length).toBeGreaterThan(0);
  expect(await openai.models.retrieve(first?.id ?? '')).toEqual(first);
  expect((await openai.models.list()).data).toEqual(models);
  await expect(openai.models.retrieve('nobody/knows')).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
  const anthropic = await host.root.get('/v1/models', { headers: { 'x-api-key': key.key, 'anthropic-version': '2023-06-01' } });
  expect(anthropic.body).toMatchObject({
    data: [{ type: 'model', id: first?.id }, ...models.slice(1).map(() => ({}))],
    has_more: false,
    first_id: first?.id,
  });
});

test('embeddings come as floats and as base64, with the same numbers', async () => {
  const input = ['one', 'two'];
  const embed = async (encoding_format: 'float' | 'base64') =>
    (await openai.embeddings.create({ model: 'simulated/embeddings', input, encoding_format })).data;
  const [floats, bytes] = [await embed('float'), await embed('base64')];
  const decoded = bytes.map(({ embedding }) => {
    const raw = Buffer.from(String(embedding), 'base64');
    return Array.from({ length: raw.length / 4 }, (_, place) => raw.readFloatLE(place * 4));
  });
  expect(decoded.map((vector) => vector.length)).toEqual(floats.map(({ embedding }) => embedding.length));
  decoded[0]?.forEach((value, place) => {
    expect(value).toBeCloseTo(floats[0]?.embedding[place] ?? Number.NaN, 5);
  });
});

test.each([
  ['/v1/v1/chat/completions', 'more than once'],
  ['/chat/completions', 'lacks /v1'],
  ['/api/v1/chat/completions', 'not below /api'],
  ['/v1//chat/completions', 'a slash too many'],
  ['//v1/chat/completions', 'a slash too many'],
  ['/v1/chat/completions/', 'a slash too many'],
])('a client whose base URL makes it ask for %s is told what is wrong with it', async (path, hint) => {
  const { status, body } = await host.root.post(path, ask, { headers: { authorization: `Bearer ${key.key}` } });
  expect({ status, code: body?.error?.code, message: body?.error?.message }).toEqual({
    status: 404,
    code: 'unknown_url',
    message: expect.stringContaining(hint),
  });
});

test('a method that an operation does not have is 405 and names those that it has', async () => {
  const { status, body, headers } = await host.root.get('/v1/chat/completions', { headers: { authorization: `Bearer ${key.key}` } });
  expect({ status, code: body.error.code, allow: headers.allow }).toEqual({ status: 405, code: 'method_not_allowed', allow: 'POST' });
});

test.each([
  ['no key', {}, 401, 'invalid_request_error'],
  ['an unknown key', { authorization: `Bearer bk_${'a'.repeat(40)}` }, 401, 'invalid_request_error'],
])('a call with %s is refused in OpenAI’s words', async (_name, headers, status, type) => {
  const answer = await host.root.post('/v1/chat/completions', ask, { headers });
  expect(answer).toMatchObject({
    status,
    body: { error: { type, code: 'invalid_api_key', param: null }, success: false },
    headers: { 'request-id': expect.any(String) },
  });
});

test('a key without the scope of an operation is refused before its body is read', async () => {
  const reader = await newProjectKey(host, { scopes: ['read:metrics'] });
  const client = new OpenAI({ apiKey: reader.key, baseURL: `${host.url}/v1`, maxRetries: 0 });
  await expect(client.chat.completions.create(ask)).rejects.toMatchObject({ status: 403, code: 'insufficient_scope' });
  expect((await client.models.list()).data.length).toBeGreaterThan(0);
});
