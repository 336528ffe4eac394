import { createOpenAI } from '@ai-sdk/openai';
import Anthropic from '@anthropic-ai/sdk';
import { LLMock } from '@copilotkit/aimock';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { generateText } from 'ai';
import OpenAI, { AuthenticationError, BadRequestError } from 'openai';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { data } from '../identity/account-builder.ts';
import { newProjectKey, type ProjectKey } from './project-key.ts';

/** The Responses API through the host, from a new user's key to the answers of the simulated provider and of a mock that speaks Gemini. */
const mock = new LLMock({ port: 0 });
let host: TestHost;
let key: ProjectKey;
let openai: OpenAI;
beforeAll(async () => {
  mock.onMessage('hello', { content: 'Hi from Gemini.', usage: { prompt_tokens: 9, completion_tokens: 12 } });
  mock.onMessage('weather', { toolCalls: [{ name: 'weather', arguments: '{"city":"Oslo"}' }] });
  await mock.start();
  host = await startTestHost({ config: { ALLOW_PRIVATE_UPSTREAMS: '1' } });
  key = await newProjectKey(host);
  const models = [{ id: 'gemini-3.8-flash', prices: { input: 1, output: 2 } }];
  data(
    await key.account.api.post('/routing/providers', {
      id: 'google',
      type: 'google',
      api_key: 'AIza-upstream',
      base_url: mock.url,
      models,
    }),
  );
  openai = new OpenAI({ apiKey: key.key, baseURL: `${host.url}/v1`, maxRetries: 0 });
}, 30_000);
afterAll(async () => {
  await host.stop();
  await mock.stop();
});

const asked = { model: 'simulated/echo', input: 'Hello there' };

test('a new user gets the same response whole and streamed', async () => {
  const whole = await openai.responses.create(asked);
  expect(whole).toMatchObject({ status: 'completed', brokle: { provider: 'simulated' }, usage: { input_tokens: expect.any(Number) } });
  const streamed = await openai.responses.stream(asked).finalResponse();
  expect(streamed.output_text).toBe(whole.output_text);
  expect(streamed.usage?.output_tokens).toBe(whole.usage?.output_tokens);
});

test("the AI SDK's default model answers", async () => {
  const model = createOpenAI({ apiKey: key.key, baseURL: `${host.url}/v1` })('simulated/echo');
  expect((await generateText({ model, prompt: 'Hello there' })).text).toContain('Hello there');
});

test("the gateway's own options are read, and what is ignored is told in a header", async () => {
  const { response } = await openai.responses.create({ ...asked, store: true, brokle: { tags: ['a'] } } as typeof asked).withResponse();
  expect(response.headers.get('x-brokle-warnings')).toMatch(/^store/);
});

test('a wrong key and a wrong body are refused in the shapes of OpenAI', async () => {
  const stranger = new OpenAI({ apiKey: `bk_${'x'.repeat(40)}`, baseURL: `${host.url}/v1`, maxRetries: 0 });
  await expect(stranger.responses.create(asked)).rejects.toThrow(AuthenticationError);
  const wrong = openai.responses.create({ ...asked, conversation: 'conv_1' });
  await expect(wrong).rejects.toThrow(BadRequestError);
  await expect(wrong).rejects.toMatchObject({ param: 'conversation' });
});

const GEMINI = 'google/gemini-3.8-flash';

test('a Google provider that a user has added answers responses with their exact cost', async () => {
  const ask = { model: GEMINI, input: 'hello' };
  const whole = await openai.responses.create(ask);
  const streamed = await openai.responses.stream(ask).finalResponse();
  for (const response of [whole, streamed]) {
    // 9 × 1 + 12 × 2 millionths
    expect(response).toMatchObject({
      output_text: 'Hi from Gemini.',
      usage: { total_tokens: 21 },
      brokle: { provider: 'google', cost: 0.000033 },
    });
  }
});

test('the same provider calls tools for the clients of OpenAI and of Anthropic', async () => {
  const tools = [{ type: 'function' as const, name: 'weather', parameters: { type: 'object' }, strict: false }];
  const response = await openai.responses.stream({ model: GEMINI, input: 'weather', tools }).finalResponse();
  expect(response.output).toMatchObject([{ type: 'function_call', name: 'weather', arguments: '{"city":"Oslo"}' }]);
  const anthropic = new Anthropic({ apiKey: key.key, baseURL: host.url, maxRetries: 0 });
  const message = await anthropic.messages
    .stream({
      model: GEMINI,
      max_tokens: 100,
      messages: [{ role: 'user', content: 'weather' }],
      tools: [{ name: 'weather', input_schema: { type: 'object' } }],
    })
    .finalMessage();
  expect(message).toMatchObject({ stop_reason: 'tool_use', content: [{ type: 'tool_use', name: 'weather', input: { city: 'Oslo' } }] });
});
