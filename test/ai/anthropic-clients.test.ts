import Anthropic from '@anthropic-ai/sdk';
import { LLMock } from '@copilotkit/aimock';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { answerJson, answerSse, recordedError } from './anthropic-fixtures.ts';
import { type GatewayWorld, gatewayWorld } from './gateway-world.ts';
import { type MessagesServer, startMessagesServer } from './messages-server.ts';
import { answers, type Script, type ScriptedUpstream, startUpstream } from './scripted-upstream.ts';

/** The official SDKs as clients of the fronts, over upstreams that speak Anthropic and OpenAI. */
const tools: Anthropic.Tool[] = [
  { name: 'weather', description: 'w', input_schema: { type: 'object', properties: { city: { type: 'string' } } } },
];
const ask = (text: string) => ({ model: 'any', max_tokens: 1_000, messages: [{ role: 'user' as const, content: text }] });

const mock = new LLMock({ port: 0 });
let recorded: ScriptedUpstream;
beforeAll(async () => {
  mock.onMessage('hello', { content: 'Hi there, how are you?', usage: { output_tokens: 12, completion_tokens: 12 } });
  mock.onMessage('weather', { toolCalls: [{ name: 'weather', arguments: '{"city":"Oslo"}' }] });
  mock.onMessage('think', { content: 'The answer is 42.', reasoning: 'Let me think about it.' });
  await mock.start();
  recorded = await startUpstream();
});
afterAll(async () => {
  await mock.stop();
  await recorded.close();
});

const started: { world: GatewayWorld; server: MessagesServer }[] = [];
afterAll(async () => {
  for (const { world, server } of started) {
    await server.close();
    await world.close();
  }
});
async function gateway(url: string, type: 'anthropic' | 'openai-compatible') {
  const world = gatewayWorld([{ url, id: 'up', model: { id: type === 'anthropic' ? 'claude-sonnet-4-5' : 'gpt-4o' }, more: { type } }]);
  const server = await startMessagesServer(world);
  started.push({ world, server });
  return {
    world,
    anthropic: new Anthropic({ apiKey: 'bk_test', baseURL: server.url, maxRetries: 0 }),
    openai: new OpenAI({ apiKey: 'bk_test', baseURL: `${server.url}/v1`, maxRetries: 0 }),
  };
}

describe.each(['anthropic', 'openai-compatible'] as const)('over an upstream of the type %s', (type) => {
  let anthropic: Anthropic;
  let openai: OpenAI;
  beforeAll(async () => {
    ({ anthropic, openai } = await gateway(`${mock.url}/v1`, type));
  });

  test('Anthropic’s SDK gets a message with its usage', async () => {
    const message = await anthropic.messages.create(ask('hello'));
    expect(message).toMatchObject({ type: 'message', role: 'assistant', stop_reason: 'end_turn' });
    expect(message.content).toEqual([expect.objectContaining({ type: 'text', text: 'Hi there, how are you?' })]);
    expect(message.usage.input_tokens).toBeGreaterThan(0);
    expect(message.usage.output_tokens).toBeGreaterThan(0);
    expect(message).toHaveProperty('brokle.cost');
  });

  test('Anthropic’s SDK adds a stream up to the same message', async () => {
    const stream = anthropic.messages.stream(ask('hello'));
    let text = '';
    stream.on('text', (delta) => {
      text += delta;
    });
    const message = await stream.finalMessage();
    expect(text).toBe('Hi there, how are you?');
    expect(message).toMatchObject({ stop_reason: 'end_turn', content: [{ type: 'text', text }] });
    expect(message.usage.input_tokens).toBeGreaterThan(0);
    expect(message.usage.output_tokens).toBeGreaterThan(0);
  });

  test('Anthropic’s SDK gets a tool’s call, streamed or not', async () => {
    const whole = await anthropic.messages.create({ ...ask('weather'), tools });
    const streamed = await anthropic.messages.stream({ ...ask('weather'), tools }).finalMessage();
    for (const message of [whole, streamed]) {
      expect(message.stop_reason).toBe('tool_use');
      expect(message.content).toEqual([expect.objectContaining({ type: 'tool_use', name: 'weather', input: { city: 'Oslo' } })]);
    }
  });

  test('OpenAI’s SDK gets a text and a tool’s call, streamed or not', async () => {
    const openaiTools = [{ type: 'function' as const, function: { name: 'weather', parameters: { type: 'object' } } }];
    const whole = await openai.chat.completions.create({ ...ask('hello') });
    expect(whole.choices[0]?.message.content).toBe('Hi there, how are you?');
    const stream = openai.chat.completions.stream({ ...ask('weather'), tools: openaiTools, stream_options: { include_usage: true } });
    const completion = await stream.finalChatCompletion();
    expect(completion.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: { tool_calls: [{ type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } }] },
    });
    expect(completion.usage?.total_tokens).toBeGreaterThan(0);
  });

  test('tokens are counted', async () => {
    const { input_tokens } = await anthropic.messages.countTokens({ model: 'any', messages: [{ role: 'user', content: 'hello' }], tools });
    expect(input_tokens).toBeGreaterThan(0);
  });
});

describe('over recorded answers of Anthropic', () => {
  let anthropic: Anthropic;
  let openai: OpenAI;
  let world: GatewayWorld;
  beforeAll(async () => {
    ({ anthropic, openai, world } = await gateway(recorded.url, 'anthropic'));
  });
  beforeEach(() => {
    recorded.calls.length = 0;
  });
  const replays: (name: string) => Script = (name) => (call, response) => {
    if (call.body.stream === true) response.writeHead(200, { 'content-type': 'text/event-stream' }).end(answerSse(name));
    else answers(answerJson(name))(call, response);
  };

  test.each(['text', 'tool', 'parallel-tools', 'thinking-tool', 'redacted-thinking', 'cached', 'refusal', 'pause-turn', 'max-tokens'])(
    'Anthropic’s SDK adds the stream %s up to the answer that Anthropic gave',
    async (name) => {
      recorded.script(replays(name));
      const { content, stop_reason, usage } = await anthropic.messages.stream(ask('x')).finalMessage();
      const expected = answerJson(name);
      expect(stop_reason).toBe(expected.stop_reason);
      expect(usage.output_tokens).toBe(expected.usage.output_tokens);
      expect(content).toMatchObject(expected.content.map(({ citations: _citations, ...block }: Record<string, unknown>) => block));
    },
  );

  test('a client of OpenAI’s that sends reasoning_details back keeps the thinking of a turn with tools', async () => {
    recorded.script(replays('thinking-tool'));
    const question = { role: 'user' as const, content: 'weather in Paris?' };
    const request = { model: 'any', reasoning_effort: 'medium' as const, max_completion_tokens: 20_000 };
    const first = await openai.chat.completions.create({ ...request, messages: [question] });
    const message = first.choices[0]?.message;
    if (!message) throw new Error('no message');
    recorded.script(replays('text'));
    await openai.chat.completions.create({
      ...request,
      messages: [question, message, { role: 'tool', tool_call_id: 'toolu_01T', content: '18 °C' }],
    });
    const [, second] = recorded.calls;
    expect(second?.body.thinking).toEqual({ type: 'enabled', budget_tokens: 8_192 });
    expect(second?.body.messages[1].content[0]).toEqual(answerJson('thinking-tool').content[0]);

    const { reasoning_details: _details, reasoning_content: _text, ...plain } = message as typeof message & Record<string, unknown>;
    const { data, response } = await openai.chat.completions
      .create({ ...request, messages: [question, plain, { role: 'tool', tool_call_id: 'toolu_01T', content: '18 °C' }] })
      .withResponse();
    expect(recorded.calls[2]?.body).not.toHaveProperty('thinking');
    expect(response.headers.get('x-brokle-warnings')).toMatch(/without thinking/);
    expect(data).toHaveProperty('brokle.warnings');
  });

  test.each<[string, new (...args: never[]) => Error]>([
    ['invalid', Anthropic.BadRequestError],
    ['model', Anthropic.NotFoundError],
    ['rate-limit', Anthropic.RateLimitError],
    ['overloaded', Anthropic.InternalServerError],
    ['key', Anthropic.InternalServerError],
  ])('the refusal %s is the SDK’s own error, with Anthropic’s shape', async (name, kind) => {
    const { status, headers, body } = recordedError(name);
    recorded.script(answers(body, status, headers));
    const error = await anthropic.messages.create(ask('x')).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(kind);
    expect(error).toMatchObject({ error: { type: 'error', error: { message: expect.any(String) } }, requestID: 'req_1' });
    expect(JSON.stringify(error)).not.toContain('sk-');
  });

  test('a failure in mid-stream is the SDK’s error', async () => {
    recorded.script((_call, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const events = answerSse('error-in-mid-stream')
        .toString('utf8')
        .split(/(?<=\n\n)/);
      response.write(events.slice(0, 3).join(''), () => setImmediate(() => response.end(events.slice(3).join(''))));
    });
    await expect(anthropic.messages.stream(ask('x')).finalMessage()).rejects.toThrow();
    expect(world.records.at(-1)?.outcome).toBe('error');
  });
});
