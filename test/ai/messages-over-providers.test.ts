import Anthropic from '@anthropic-ai/sdk';
import { LLMock } from '@copilotkit/aimock';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { data } from '../identity/account-builder.ts';
import { answerJson, answerSse } from './anthropic-fixtures.ts';
import { newProjectKey, type ProjectKey } from './project-key.ts';
import { answers, type Script, type ScriptedUpstream, startUpstream } from './scripted-upstream.ts';

/** The whole host with providers that a user has added: mocks that speak Anthropic and OpenAI, and a server that replays recorded answers. */
const mock = new LLMock({ port: 0 });
let host: TestHost;
let key: ProjectKey;
let recorded: ScriptedUpstream;
let anthropic: Anthropic;
let openai: OpenAI;
beforeAll(async () => {
  mock.onMessage('hello', { content: 'Hi there, how are you?', usage: { output_tokens: 12 } });
  mock.onMessage('weather', { toolCalls: [{ name: 'weather', arguments: '{"city":"Oslo"}' }] });
  await mock.start();
  recorded = await startUpstream();
  host = await startTestHost({ config: { ALLOW_PRIVATE_UPSTREAMS: '1' } });
  key = await newProjectKey(host);
  const add = async (provider: Record<string, unknown>) =>
    data(await key.account.api.post('/routing/providers', { api_key: 'sk-upstream-key', ...provider }));
  await add({ id: 'mock-claude', type: 'anthropic', base_url: `${mock.url}/v1`, models: ['claude-sonnet-4-5'] });
  await add({ id: 'mock-gpt', type: 'openai-compatible', base_url: `${mock.url}/v1`, models: ['gpt-4o'] });
  await add({
    id: 'claude',
    type: 'anthropic',
    base_url: recorded.url,
    models: [{ id: 'claude-opus-4-5', prices: { input: 3, output: 15, cache_write_5m: 3.75, cache_write_1h: 6 } }],
  });
  anthropic = new Anthropic({ apiKey: key.key, baseURL: host.url, maxRetries: 0 });
  openai = new OpenAI({ apiKey: key.key, baseURL: `${host.url}/v1`, maxRetries: 0 });
}, 30_000);
afterAll(async () => {
  await host.stop();
  await mock.stop();
  await recorded.close();
});
beforeEach(() => {
  recorded.calls.length = 0;
});

const ask = (model: string, content: string) => ({ model, max_tokens: 1_000, messages: [{ role: 'user' as const, content }] });
const replays: (name: string) => Script = (name) => (call, response) => {
  if (call.body.stream === true) response.writeHead(200, { 'content-type': 'text/event-stream' }).end(answerSse(name));
  else answers(answerJson(name))(call, response);
};
const OPUS = 'claude/claude-opus-4-5';

describe.each(['mock-claude/claude-sonnet-4-5', 'mock-gpt/gpt-4o'])('with the model %s', (model) => {
  test('Anthropic’s SDK gets texts and tools, whole and streamed', async () => {
    const whole = await anthropic.messages.create(ask(model, 'hello'));
    const streamed = await anthropic.messages.stream(ask(model, 'hello')).finalMessage();
    for (const message of [whole, streamed]) {
      expect(message).toMatchObject({ stop_reason: 'end_turn', content: [{ type: 'text', text: 'Hi there, how are you?' }] });
      expect(message.usage.input_tokens).toBeGreaterThan(0);
    }
    const tools = [{ name: 'weather', input_schema: { type: 'object' as const } }];
    const called = await anthropic.messages.stream({ ...ask(model, 'weather'), tools }).finalMessage();
    expect(called).toMatchObject({ stop_reason: 'tool_use', content: [{ type: 'tool_use', name: 'weather', input: { city: 'Oslo' } }] });
  });

  test('OpenAI’s SDK gets texts and tools, whole and streamed', async () => {
    const whole = await openai.chat.completions.create(ask(model, 'hello'));
    expect(whole.choices[0]?.message.content).toBe('Hi there, how are you?');
    const tools = [{ type: 'function' as const, function: { name: 'weather', parameters: {} } }];
    const streamed = await openai.chat.completions.stream({ ...ask(model, 'weather'), tools }).finalChatCompletion();
    expect(streamed.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: { tool_calls: [{ function: { name: 'weather', arguments: '{"city":"Oslo"}' } }] },
    });
  });

  test('tokens are counted', async () => {
    const { input_tokens } = await anthropic.messages.countTokens({ model, messages: ask(model, 'hello').messages });
    expect(input_tokens).toBeGreaterThan(0);
  });
});

test('an Anthropic upstream gets what the caller marked and asked for in beta, with the provider’s own key', async () => {
  recorded.script(replays('cache-write-1h'));
  const system = [{ type: 'text' as const, text: 's', cache_control: { type: 'ephemeral' as const, ttl: '1h' as const } }];
  const headers = { 'anthropic-beta': 'context-1m-2025-08-07' };
  const message = await anthropic.messages.create({ ...ask(OPUS, 'x'), system }, { headers });
  const [call] = recorded.calls;
  expect(call?.path).toBe('/v1/messages');
  expect(call?.body).toEqual({ ...ask('claude-opus-4-5', 'x'), system });
  expect(call?.headers).toMatchObject({ 'x-api-key': 'sk-upstream-key', 'anthropic-beta': headers['anthropic-beta'] });
  expect(call?.headers).not.toHaveProperty('authorization');
  expect(message).toMatchObject({ content: [{ type: 'text', text: 'Noted.' }], brokle: { provider: 'claude', cost: 0.005175 } });
});

test('a stream of thinking reaches Anthropic’s SDK with its signature, and OpenAI’s with reasoning_details', async () => {
  recorded.script(replays('thinking-tool'));
  const message = await anthropic.messages.stream(ask(OPUS, 'x')).finalMessage();
  expect(message.content).toEqual(answerJson('thinking-tool').content);
  const details: unknown[] = [];
  let reasoning = '';
  for await (const chunk of await openai.chat.completions.create({ ...ask(OPUS, 'x'), stream: true })) {
    const delta = Object(chunk.choices[0]?.delta);
    reasoning += delta.reasoning_content ?? '';
    details.push(...(delta.reasoning_details ?? []));
  }
  const [{ thinking, signature }] = answerJson('thinking-tool').content;
  expect(reasoning).toBe(thinking);
  expect(details).toEqual([{ type: 'thinking', text: thinking, signature }]);
});

test('tokens are asked of Anthropic where the model is there', async () => {
  recorded.script(answers({ input_tokens: 2_095 }));
  const { input_tokens } = await anthropic.messages.countTokens({ model: OPUS, messages: ask(OPUS, 'hello').messages });
  expect(input_tokens).toBe(2_095);
  expect(recorded.calls[0]).toMatchObject({ path: '/v1/messages/count_tokens', body: { model: 'claude-opus-4-5' } });
});

test('arguments that are no JSON are refused before anything is sent', async () => {
  const call = { id: 'c1', type: 'function' as const, function: { name: 'f', arguments: '{"a":1}{"b":2}' } };
  const history = [
    { role: 'user' as const, content: 'x' },
    { role: 'assistant' as const, content: null, tool_calls: [call] },
    { role: 'tool' as const, tool_call_id: 'c1', content: '1' },
  ];
  await expect(openai.chat.completions.create({ model: OPUS, messages: history })).rejects.toMatchObject({
    status: 400,
    param: 'messages.[1].tool_calls.[0].function.arguments',
  });
  expect(recorded.calls).toEqual([]);
});
