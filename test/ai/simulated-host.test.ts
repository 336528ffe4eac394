import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ChatOpenAI, OpenAI as LangChainOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { generateText, jsonSchema, streamText, type ToolSet } from 'ai';
import OpenAI from 'openai';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { newProjectKey } from './project-key.ts';

let host: TestHost;
let baseURL: string;
let apiKey: string;
let openai: OpenAI;
beforeAll(async () => {
  host = await startTestHost();
  ({ key: apiKey } = await newProjectKey(host));
  baseURL = `${host.url}/v1`;
  openai = new OpenAI({ apiKey, baseURL, maxRetries: 0 });
}, 30_000);
afterAll(() => host.stop());

const messages = [{ role: 'user' as const, content: 'Hello there' }];
const SAYS = 'This is a simulated answer. No model was asked. You said: Hello there';
const weather = {
  type: 'function' as const,
  function: {
    name: 'weather',
    parameters: { type: 'object' as const, properties: { city: { type: 'string' as const } }, required: ['city'] },
  },
};

test('OpenAI’s client gets legacy completions, whole and streamed', async () => {
  const answer = await openai.completions.create({ model: 'simulated/count-3', prompt: ['a', 'b'] });
  expect(answer.choices.map(({ index, text }) => `${index}: ${text}`)).toEqual(['0: 1 2 3', '1: 1 2 3']);
  let text = '';
  for await (const chunk of await openai.completions.create({ model: 'simulated/count-3', prompt: 'a', stream: true })) {
    expect(chunk.object).toBe('text_completion');
    text += chunk.choices[0]?.text ?? '';
  }
  expect(text).toBe('1 2 3');
});

test('LangChain’s legacy client and its chat client get their answers', async () => {
  const configuration = { baseURL };
  expect(await new LangChainOpenAI({ model: 'simulated/count-3', apiKey, configuration }).invoke('a')).toBe('1 2 3');
  const chat = new ChatOpenAI({ model: 'simulated/chat', apiKey, configuration });
  expect((await chat.invoke('Hello there')).text).toBe(SAYS);
  let text = '';
  for await (const chunk of await chat.stream('Hello there')) text += chunk.text;
  expect(text).toBe(SAYS);
});

test('embeddings are the same numbers in both encodings, for OpenAI’s and LangChain’s clients', async () => {
  const ask = { model: 'simulated/embeddings', input: ['the cat', 'the dog'], dimensions: 8 };
  const floats = await openai.embeddings.create({ ...ask, encoding_format: 'float' });
  // The client asks for base64 by itself, and decodes it.
  const decoded = await openai.embeddings.create(ask);
  expect(decoded.data.map(({ embedding }) => [...embedding])).toEqual(floats.data.map(({ embedding }) => embedding));
  expect(floats.usage.prompt_tokens).toBeGreaterThan(0);
  const embeddings = new OpenAIEmbeddings({ model: 'simulated/embeddings', dimensions: 8, apiKey, configuration: { baseURL } });
  expect(await embeddings.embedQuery('the cat')).toEqual(floats.data[0]?.embedding);
});

test('the AI SDK gets texts, streams and tool calls, by its compatible and by its OpenAI provider', async () => {
  const compatible = createOpenAICompatible({ name: 'brokkr', baseURL, apiKey });
  const official = createOpenAI({ baseURL, apiKey });
  for (const model of [compatible('simulated/chat'), official.chat('simulated/chat')]) {
    expect((await generateText({ model, prompt: 'Hello there' })).text).toBe(SAYS);
    const stream = streamText({ model, prompt: 'Hello there' });
    expect(await stream.text).toBe(SAYS);
    expect(await stream.finishReason).toBe('stop');
  }
  for (const model of [compatible('simulated/tools-2'), official.chat('simulated/tools-2')]) {
    const tools: ToolSet = { weather: { inputSchema: jsonSchema(weather.function.parameters) } };
    const stream = streamText({ model, prompt: 'Hello there', tools });
    expect((await stream.toolCalls).map(({ input }) => input)).toEqual([{ city: 'simulated' }, { city: 'simulated' }]);
  }
});

test('OpenAI’s client joins the pieces of parallel tool calls, and parses the arguments of each', async () => {
  const stream = openai.chat.completions.stream({
    model: 'simulated/tools-2',
    messages,
    tools: [weather, { type: 'function', function: { name: 'now' } }],
  });
  const [choice] = (await stream.finalChatCompletion()).choices;
  expect(choice?.finish_reason).toBe('tool_calls');
  const calls = choice?.message.tool_calls?.map((call) =>
    call.type === 'function' ? [call.function.name, JSON.parse(call.function.arguments)] : [],
  );
  expect(calls).toEqual([
    ['weather', { city: 'simulated' }],
    ['now', {}],
  ]);
});

test.each([
  ['fail-400', 400, null],
  ['fail-401', 502, 'provider_auth_failed'],
  ['fail-429', 429, 'provider_rate_limited'],
  ['fail-503', 502, 'provider_error'],
  ['count-9-error-0', 502, 'provider_error'],
])(
  'the model %s is answered with %i',
  async (model, status, code) => {
    const failure = await openai.chat.completions.create({ model: `simulated/${model}`, messages, stream: true }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(OpenAI.APIError);
    expect(failure).toMatchObject({ status, code });
  },
  30_000,
);

test.each(['count-9-cut-3', 'count-9-error-3'])('a stream that breaks off at %s is never a silent end', async (model) => {
  let text = '';
  const reading = (async () => {
    for await (const chunk of await openai.chat.completions.create({ model: `simulated/${model}`, messages, stream: true })) {
      text += chunk.choices[0]?.delta.content ?? '';
      expect(chunk.choices[0]?.finish_reason).toBeNull();
    }
  })();
  await expect(reading).rejects.toMatchObject({ code: 'upstream_stream_interrupted' });
  expect(text).toBe('1 2 3');
});

test('a provider without usage is priced by an estimate that says so', async () => {
  const { brokle } = Object(await openai.chat.completions.create({ model: 'simulated/count-3-no-usage', messages }));
  expect(brokle).toMatchObject({ usage_estimated: true });
});

test('several answers, stop sequences and limits go the whole way', async () => {
  const two = await openai.chat.completions.create({ model: 'simulated/count-9', messages, n: 2, max_tokens: 2 });
  expect(two.choices.map(({ index, message, finish_reason }) => [index, message.content, finish_reason])).toEqual([
    [0, '1 2', 'length'],
    [1, '1 2', 'length'],
  ]);
  const stopped = await openai.chat.completions.create({ model: 'simulated/count-9', messages, stop: ' 4' });
  expect(stopped.choices[0]?.message.content).toBe('1 2 3');
});

test('a request that can’t be served is refused by the name of its member', async () => {
  const refused = (body: Record<string, unknown>) => openai.post('/chat/completions', { body });
  await expect(refused({ model: 'simulated/chat' })).rejects.toMatchObject({ status: 400, param: 'messages' });
  await expect(refused({ model: 'simulated/chat', messages: [{}] })).rejects.toMatchObject({ status: 400, param: 'messages.[0].role' });
  await expect(refused({ model: 'simulated/chat', messages, brokle: { max_costs: 1 } })).rejects.toMatchObject({
    status: 400,
    param: 'brokle.max_costs',
  });
  await expect(openai.completions.create({ model: 'simulated/chat', prompt: [1, 2] })).rejects.toMatchObject({
    status: 400,
    param: 'prompt',
  });
});
