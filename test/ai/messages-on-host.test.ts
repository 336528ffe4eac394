import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { callLogTable, callPks } from '../../lib/ai/records/call-log-table.ts';
import { eventually } from '../database/test-queues.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { newProjectKey, type ProjectKey } from './project-key.ts';

/** Anthropic's SDK as a client of the whole host. */
let host: TestHost;
let key: ProjectKey;
let anthropic: Anthropic;
beforeAll(async () => {
  host = await startTestHost();
  key = await newProjectKey(host);
  anthropic = new Anthropic({ apiKey: key.key, baseURL: host.url, maxRetries: 0 });
}, 30_000);
afterAll(() => host.stop());

const ask = { model: 'simulated/echo', max_tokens: 100, messages: [{ role: 'user' as const, content: 'Hello there' }] };
const post = (path: string, body: unknown, headers: Record<string, string>) =>
  fetch(`${host.url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });

test('Anthropic’s SDK gets a message and a stream from a model that speaks OpenAI', async () => {
  const { data: message, response } = await anthropic.messages.create(ask).withResponse();
  expect(message).toMatchObject({ type: 'message', role: 'assistant', stop_reason: 'end_turn', brokle: { provider: 'simulated' } });
  expect(message.usage.input_tokens).toBeGreaterThan(0);
  expect(response.headers.get('request-id')).toMatch(/^req_/);
  expect(response.headers.get('x-ratelimit-limit')).toMatch(/^\d+$/);
  const streamed = await anthropic.messages.stream(ask).finalMessage();
  expect(streamed.content).toEqual(message.content);
  expect(streamed.usage.input_tokens).toBeGreaterThan(0);
  expect(streamed.usage.output_tokens).toBe(message.usage.output_tokens);
});

test('a key is taken as x-api-key and as a bearer token, and query strings are ignored', async () => {
  for (const headers of [{ 'x-api-key': key.key }, { authorization: `Bearer ${key.key}` }] as Record<string, string>[]) {
    const answer = await post('/v1/messages?beta=true', ask, headers);
    expect(answer.status).toBe(200);
  }
});

test('tokens are counted without a record, and without using up the limit for calls', async () => {
  const fresh = await newProjectKey(host);
  const client = new Anthropic({ apiKey: fresh.key, baseURL: host.url, maxRetries: 0 });
  const remaining = async () => {
    const { response } = await client.messages.create(ask).withResponse();
    return Number(response.headers.get('x-ratelimit-remaining'));
  };
  const before = await remaining();
  const { input_tokens } = await client.messages.countTokens({ model: ask.model, messages: ask.messages, system: 'Be brief.' });
  expect(input_tokens).toBeGreaterThan(0);
  const counted = await post('/v1/messages/count_tokens?beta=true', ask, { 'x-api-key': fresh.key });
  expect(await counted.json()).toEqual({ input_tokens: expect.any(Number) });
  const after = await remaining();
  // A new minute may have begun in between.
  expect(after === before - 1 || after >= before).toBe(true);
  const records = async () => {
    const pages = await Promise.all(callPks(fresh.project_id).map((pk) => host.app.services.database.query(callLogTable.name, { pk })));
    return pages.flatMap(({ items }) => items.map(({ record }) => JSON.parse(String(record)).operation));
  };
  await eventually(async () => expect(await records()).toEqual(['messages', 'messages']), 15_000);
}, 30_000);

test('refusals have Anthropic’s shape', async () => {
  const wrong = new Anthropic({ apiKey: `bk_${'x'.repeat(40)}`, baseURL: host.url, maxRetries: 0 });
  await expect(wrong.messages.create(ask)).rejects.toMatchObject({
    status: 401,
    error: { type: 'error', error: { type: 'authentication_error' } },
  });
  await expect(anthropic.messages.create({ ...ask, model: 'nobody/knows' })).rejects.toMatchObject({
    status: 404,
    error: { type: 'error', error: { type: 'not_found_error' } },
  });
  await expect(anthropic.messages.create({ ...ask, messages: [] })).rejects.toMatchObject({
    status: 400,
    error: { type: 'error', error: { type: 'invalid_request_error' } },
  });
  await expect(anthropic.messages.countTokens({ model: 'nobody/knows', messages: ask.messages })).rejects.toMatchObject({ status: 404 });
  const broken = await fetch(`${host.url}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': key.key, 'content-type': 'application/json' },
    body: '{',
  });
  expect(broken.status).toBe(400);
  expect(await broken.json()).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
  const other = await fetch(`${host.url}/v1/messages`, { headers: { 'x-api-key': key.key } });
  expect(other.status).toBe(405);
  expect(other.headers.get('allow')).toContain('POST');
});
