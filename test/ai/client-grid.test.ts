import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import Anthropic from '@anthropic-ai/sdk';
import { LLMock } from '@copilotkit/aimock';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ChatOpenAI } from '@langchain/openai';
import { generateText, jsonSchema, type LanguageModel, streamText, type ToolSet } from 'ai';
import OpenAI from 'openai';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { data } from '../identity/account-builder.ts';
import { newProjectKey } from './project-key.ts';

/** What an application reads by its client. */
interface Client {
  whole(model: string): Promise<string>;
  streamed(model: string): Promise<string>;
  /** The name of the tool that the model calls, and the arguments. */
  tool(model: string): Promise<[name: string | undefined, args: unknown]>;
}

const SAYS = 'Hi there, how are you?';
const HELLO = 'hello';
/** The simulated provider answers by the model's name, the mocks by the message. */
const UPSTREAMS = {
  simulated: { text: 'simulated/echo', tool: 'simulated/tools-1', says: HELLO },
  'a server that speaks OpenAI': { text: 'mock-gpt/gpt-4o', tool: 'mock-gpt/gpt-4o', says: SAYS },
  'a server that speaks Anthropic': { text: 'mock-claude/claude-sonnet-4-5', tool: 'mock-claude/claude-sonnet-4-5', says: SAYS },
  'a server that speaks Gemini': { text: 'mock-gemini/gemini-2.5-flash', tool: 'mock-gemini/gemini-2.5-flash', says: SAYS },
};
const parameters = { type: 'object' as const, properties: { city: { type: 'string' as const } }, required: ['city'] };
const WEATHER = { name: 'weather', description: 'The weather of a city', parameters };

const mock = new LLMock({ port: 0 });
let host: TestHost;
let apiKey: string;
beforeAll(async () => {
  mock.onMessage(HELLO, { content: SAYS });
  mock.onMessage('weather', { toolCalls: [{ name: 'weather', arguments: '{"city":"Oslo"}' }] });
  await mock.start();
  host = await startTestHost({ config: { ALLOW_PRIVATE_UPSTREAMS: '1' } });
  const { key, account } = await newProjectKey(host);
  apiKey = key;
  const add = async (provider: Record<string, unknown>) =>
    data(await account.api.post('/routing/providers', { api_key: 'sk-upstream', ...provider }));
  await add({ id: 'mock-gpt', type: 'openai-compatible', base_url: `${mock.url}/v1`, models: ['gpt-4o'] });
  await add({ id: 'mock-claude', type: 'anthropic', base_url: `${mock.url}/v1`, models: ['claude-sonnet-4-5'] });
  await add({ id: 'mock-gemini', type: 'google', base_url: mock.url, models: ['gemini-2.5-flash'] });
}, 30_000);
afterAll(async () => {
  await host.stop();
  await mock.stop();
});
const baseURL = () => `${host.url}/v1`;

function byOpenAi(): Client {
  const openai = () => new OpenAI({ apiKey, baseURL: baseURL(), maxRetries: 0 });
  const ask = (model: string, content: string) => ({ model, messages: [{ role: 'user' as const, content }] });
  return {
    whole: async (model) => (await openai().chat.completions.create(ask(model, HELLO))).choices[0]?.message.content ?? '',
    streamed: async (model) => (await openai().chat.completions.stream(ask(model, HELLO)).finalContent()) ?? '',
    async tool(model) {
      const tools = [{ type: 'function' as const, function: WEATHER }];
      const { choices } = await openai()
        .chat.completions.stream({ ...ask(model, 'weather'), tools })
        .finalChatCompletion();
      const [call] = choices[0]?.message.tool_calls ?? [];
      if (call?.type !== 'function') return [undefined, undefined];
      return [call.function.name, JSON.parse(call.function.arguments)];
    },
  };
}

function byAiSdk(modelOf: (name: string) => LanguageModel): Client {
  const tools: ToolSet = { weather: { description: WEATHER.description, inputSchema: jsonSchema(parameters) } };
  return {
    whole: async (model) => (await generateText({ model: modelOf(model), prompt: HELLO, maxRetries: 0 })).text,
    async streamed(model) {
      let text = '';
      for await (const piece of streamText({ model: modelOf(model), prompt: HELLO, maxRetries: 0 }).textStream) text += piece;
      return text;
    },
    async tool(model) {
      const { toolCalls } = await generateText({ model: modelOf(model), prompt: 'weather', tools, maxRetries: 0 });
      return [toolCalls[0]?.toolName, toolCalls[0]?.input];
    },
  };
}

function byLangChain(): Client {
  const chat = (model: string) => new ChatOpenAI({ model, apiKey, maxRetries: 0, configuration: { baseURL: baseURL() } });
  return {
    whole: async (model) => (await chat(model).invoke(HELLO)).text,
    async streamed(model) {
      let text = '';
      for await (const piece of await chat(model).stream(HELLO)) text += piece.text;
      return text;
    },
    async tool(model) {
      const bound = chat(model).bindTools([{ type: 'function', function: WEATHER }]);
      const { tool_calls: [call] = [] } = await bound.invoke('weather');
      return [call?.name, call?.args];
    },
  };
}

function byAnthropic(): Client {
  const anthropic = () => new Anthropic({ apiKey, baseURL: host.url, maxRetries: 0 });
  const ask = (model: string, content: string) => ({ model, max_tokens: 1_000, messages: [{ role: 'user' as const, content }] });
  const textOf = ({ content }: Anthropic.Message) => content.map((block) => (block.type === 'text' ? block.text : '')).join('');
  return {
    whole: async (model) => textOf(await anthropic().messages.create(ask(model, HELLO))),
    streamed: async (model) => textOf(await anthropic().messages.stream(ask(model, HELLO)).finalMessage()),
    async tool(model) {
      const tools = [{ name: WEATHER.name, description: WEATHER.description, input_schema: parameters }];
      const { content } = await anthropic()
        .messages.stream({ ...ask(model, 'weather'), tools })
        .finalMessage();
      const call = content.find((block) => block.type === 'tool_use');
      return [call?.name, call?.input];
    },
  };
}

const CLIENTS: Record<string, () => Client> = {
  openai: byOpenAi,
  '@ai-sdk/openai, by chat': () => byAiSdk((name) => createOpenAI({ apiKey, baseURL: baseURL() }).chat(name)),
  '@ai-sdk/openai, by responses': () => byAiSdk((name) => createOpenAI({ apiKey, baseURL: baseURL() })(name)),
  '@ai-sdk/openai-compatible': () =>
    byAiSdk((name) => createOpenAICompatible({ name: 'gateway', apiKey, baseURL: baseURL() }).chatModel(name)),
  '@langchain/openai': byLangChain,
  '@anthropic-ai/sdk': byAnthropic,
};

describe.each(Object.keys(CLIENTS))('the client %s', (name) => {
  test.each(Object.entries(UPSTREAMS))('gets texts and a tool call of %s', async (_upstream, { text, tool, says }) => {
    const client = CLIENTS[name]?.();
    if (!client) throw new Error(`no client ${name}`);
    expect([await client.whole(text), await client.streamed(text)]).toEqual([says, says]);
    expect(await client.tool(tool)).toEqual(['weather', { city: expect.any(String) }]);
  });
});
