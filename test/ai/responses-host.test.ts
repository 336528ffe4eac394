import { createOpenAI } from '@ai-sdk/openai';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { generateText } from 'ai';
import OpenAI, { AuthenticationError, BadRequestError } from 'openai';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { newProjectKey, type ProjectKey } from './project-key.ts';

/** The Responses API through the host, from a new user's key to the answer of the simulated provider. */
let host: TestHost;
let key: ProjectKey;
let openai: OpenAI;
beforeAll(async () => {
  host = await startTestHost();
  key = await newProjectKey(host);
  openai = new OpenAI({ apiKey: key.key, baseURL: `${host.url}/v1`, maxRetries: 0 });
}, 30_000);
afterAll(() => host.stop());

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
