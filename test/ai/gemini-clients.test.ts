import { readFileSync } from 'node:fs';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { LLMock } from '@copilotkit/aimock';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { generateText, isStepCount, tool } from 'ai';
import OpenAI, { type APIError, InternalServerError, RateLimitError } from 'openai';
import * as z from 'zod';
import { type FrontServer, startFrontServer } from './front-server.ts';
import { type GatewayWorld, gatewayWorld } from './gateway-world.ts';
import { type Script, type ScriptedUpstream, startUpstream } from './scripted-upstream.ts';

const fixture = (name: string) => readFileSync(new URL(`./providers/google/fixtures/${name}`, import.meta.url));
let world: GatewayWorld;
let server: FrontServer;
let openai: OpenAI;

async function open(url: string, prices = { input: 1, output: 2 }): Promise<void> {
  world = gatewayWorld([{ url, id: 'google', model: { id: 'gemini-3-flash-preview', prices }, more: { type: 'google', max_retries: 0 } }]);
  server = await startFrontServer(world.ports);
  openai = new OpenAI({ baseURL: server.url, apiKey: 'bk', maxRetries: 0 });
}
afterEach(async () => {
  await server.close();
  await world.close();
});
const ask = (more: object = {}) => ({ model: 'm', messages: [{ role: 'user' as const, content: 'hi' }], ...more });
const weather = {
  type: 'function' as const,
  function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
};

describe('over a simulator of Google, the SDK of OpenAI', () => {
  let mock: LLMock;
  beforeAll(async () => {
    mock = new LLMock({ port: 0 });
    mock.onMessage('hi', { content: 'Hello from Gemini.' });
    mock.onMessage('weather', { toolCalls: [{ name: 'weather', arguments: '{"city":"Oslo"}' }] });
    mock.onEmbedding('embed', { embedding: [0.25, -0.5, 1] });
    await mock.start();
  });
  beforeEach(() => open(mock.url));
  afterAll(() => mock.stop());

  test('reads a whole answer', async () => {
    const { choices } = await openai.chat.completions.create(ask());
    expect(choices[0]).toMatchObject({ message: { role: 'assistant', content: 'Hello from Gemini.' }, finish_reason: 'stop' });
  });

  test('reads a stream', async () => {
    const stream = openai.chat.completions.stream(ask());
    expect(await stream.finalContent()).toBe('Hello from Gemini.');
  });

  test.each([false, true])('reads a tool call (streamed: %s)', async (streamed) => {
    const asked = ask({ messages: [{ role: 'user', content: 'weather' }], tools: [weather] });
    const { choices } = streamed
      ? await openai.chat.completions.stream(asked).finalChatCompletion()
      : await openai.chat.completions.create(asked);
    expect(choices[0]).toMatchObject({
      message: { tool_calls: [{ id: expect.any(String), type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } }] },
      finish_reason: 'tool_calls',
    });
  });

  test('reads an embedding in its own encoding', async () => {
    const { data } = await openai.embeddings.create({ model: 'm', input: 'embed' });
    expect(data[0]?.embedding).toEqual([0.25, -0.5, 1]);
  });
});

describe("over Google's recorded answers", () => {
  let upstream: ScriptedUpstream;
  beforeAll(async () => {
    upstream = await startUpstream();
  });
  beforeEach(async () => {
    upstream.calls.length = 0;
    await open(upstream.url);
  });
  afterAll(() => upstream.close());

  const replays: (name: string, status?: number) => Script =
    (name, status = 200) =>
    (call, response) => {
      const streamed = call.path.includes('streamGenerateContent') && status === 200;
      response.writeHead(status, { 'content-type': streamed ? 'text/event-stream' : 'application/json' });
      response.end(fixture(`${name}.${streamed ? 'sse' : 'json'}`));
    };

  test('the SDK of OpenAI reads the same streamed and not, with the exact cost', async () => {
    upstream.script(replays('text'));
    const whole = await openai.chat.completions.create(ask());
    const streamed = await openai.chat.completions.stream(ask({ stream_options: { include_usage: true } })).finalChatCompletion();
    for (const { choices, usage } of [whole, streamed]) {
      expect(choices[0]?.message.content).toBe('北京 🌧 Hello.');
      expect(usage).toMatchObject({ prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 });
    }
    // 9 × 1 + 12 × 2 millionths
    expect(world.records.map(({ cost_pico_usd }) => cost_pico_usd)).toEqual(['33000000', '33000000']);
    expect(upstream.calls.map(({ headers }) => headers['x-goog-api-key'])).toEqual(['sk-upstream', 'sk-upstream']);
  });

  test('thoughts are paid as output', async () => {
    upstream.script(replays('thinking'));
    const { choices } = await openai.chat.completions.create(ask({ reasoning_effort: 'low' }));
    expect(choices[0]?.message).toMatchObject({ content: 'Three.', reasoning_content: '**Counting** the letters.' });
    expect(world.records[0]).toMatchObject({ cost_pico_usd: '300000000', usage: { reasoning: 90 } });
  });

  test("the AI SDK's compatible provider runs a loop of tools and sends the signature back", async () => {
    upstream.script(replays('tools-parallel'), replays('text'));
    const model = createOpenAICompatible({ name: 'gateway', baseURL: server.url, apiKey: 'bk' })('m');
    const tools = { weather: tool({ inputSchema: z.object({ city: z.string() }), execute: async () => [1, 2] }) };
    const { text } = await generateText({ model, prompt: 'weather?', tools, stopWhen: isStepCount(3) });
    expect(text).toBe('北京 🌧 Hello.');
    const [, turn, results] = upstream.calls[1]?.body.contents ?? [];
    expect(turn.parts[0].thoughtSignature).toBe('c2ln');
    expect(results.parts.map(({ functionResponse }: { functionResponse: { response: unknown } }) => functionResponse.response)).toEqual([
      { result: [1, 2] },
      { result: [1, 2] },
    ]);
    expect(world.records.at(-1)?.warnings).toEqual([]);
  });

  test('a whole answer to a request for a stream is streamed, and its numbers keep their digits', async () => {
    const digits = '{"id":12345678901234567890}';
    const part = `{"functionCall":{"name":"weather","args":${digits}}}`;
    upstream.script((_call, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(`{"candidates":[{"content":{"role":"model","parts":[${part}]},"finishReason":"STOP"}]}`);
    });
    const { choices } = await openai.chat.completions.stream(ask({ tools: [weather] })).finalChatCompletion();
    expect(choices).toMatchObject([{ finish_reason: 'tool_calls', message: { tool_calls: [{ function: { arguments: digits } }] } }]);
  });

  test('a blocked prompt is an answer that was filtered', async () => {
    upstream.script(replays('blocked-prompt'));
    const { choices } = await openai.chat.completions.create(ask());
    expect(choices).toMatchObject([{ message: { role: 'assistant' }, finish_reason: 'content_filter' }]);
    const streamed = await openai.chat.completions.stream(ask()).finalChatCompletion();
    expect(streamed.choices[0]?.finish_reason).toBe('content_filter');
  });

  test.each([false, true])('a malformed call is a failed attempt (streamed: %s)', async (stream) => {
    upstream.script(replays('malformed-call'));
    await expect(openai.chat.completions.create(ask({ stream }))).rejects.toMatchObject({ status: 502, code: 'provider_error' });
    expect(world.records[0]).toMatchObject({ outcome: 'error', attempts: [{ error: expect.any(String) }] });
  });

  test('a limit of the provider is a 429 with the time to wait', async () => {
    upstream.script(replays('error-429', 429));
    const asked = openai.chat.completions.create(ask());
    await expect(asked).rejects.toThrow(RateLimitError);
    await expect(asked).rejects.toMatchObject({ code: 'provider_rate_limited' });
    const headers = await asked.catch((error: APIError) => error.headers);
    expect(headers instanceof Headers && headers.get('retry-after-ms')).toBe('31200');
  });

  test('a key that Google refuses is a failure of the gateway and not a wrong key of the caller', async () => {
    upstream.script(replays('error-key', 400));
    const asked = openai.chat.completions.create(ask());
    await expect(asked).rejects.toThrow(InternalServerError);
    await expect(asked).rejects.toMatchObject({ status: 502, code: 'provider_auth_failed' });
  });

  test('an error after content ends the stream with an error', async () => {
    const read = Promise.withResolvers<void>();
    const [content, ...rest] = fixture('error-midstream.sse')
      .toString()
      .split(/(?<=\r\n\r\n)/);
    upstream.script(async (_call, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(content);
      await read.promise;
      response.end(rest.join(''));
    });
    const stream = await openai.chat.completions.create({ ...ask(), stream: true });
    let text = '';
    const readAll = async () => {
      for await (const { choices } of stream) {
        text += choices[0]?.delta.content ?? '';
        read.resolve();
      }
    };
    await expect(readAll()).rejects.toMatchObject({ code: 'upstream_stream_interrupted' });
    expect(text).toBe('The capital of');
  });
});
