import { readFileSync } from 'node:fs';
import { createOpenAI } from '@ai-sdk/openai';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { generateText, isStepCount, Output, streamText, tool } from 'ai';
import OpenAI, { APIError, BadRequestError } from 'openai';
import * as z from 'zod';
import { type FrontServer, startFrontServer } from './front-server.ts';
import { type GatewayWorld, gatewayWorld } from './gateway-world.ts';
import {
  answers,
  chunk,
  completion,
  reset,
  type Script,
  type ScriptedUpstream,
  startUpstream,
  streams,
  streamsTexts,
} from './scripted-upstream.ts';

/** Real clients of the Responses API over the pipeline, with a server that speaks OpenAI's chat and one that replays Google's answers. */
let upstream: ScriptedUpstream;
let world: GatewayWorld;
let server: FrontServer;
let openai: OpenAI;

async function open(more: object = {}): Promise<void> {
  await server?.close();
  await world?.close();
  world = gatewayWorld([{ url: upstream.url, model: { id: 'gemini-3-flash-preview' }, more }]);
  server = await startFrontServer(world.ports);
  openai = new OpenAI({ baseURL: server.url, apiKey: 'bk', maxRetries: 0 });
}
beforeAll(async () => {
  upstream = await startUpstream();
});
beforeEach(async () => {
  upstream.calls.length = 0;
  await open();
});
afterAll(async () => {
  await server.close();
  await world.close();
  await upstream.close();
});

const google = { type: 'google' as const };
const fixture = (name: string) => readFileSync(new URL(`./providers/google/fixtures/${name}`, import.meta.url));
/** Replays a recorded answer of Google, streamed if it is asked for a stream. */
const replays: (name: string) => Script = (name) => (call, response) => {
  const streamed = call.path.includes('streamGenerateContent');
  response.writeHead(200, { 'content-type': streamed ? 'text/event-stream' : 'application/json' });
  response.end(fixture(`${name}.${streamed ? 'sse' : 'json'}`));
};
const functionTool = {
  type: 'function' as const,
  name: 'weather',
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
  strict: false,
};

describe("OpenAI's SDK", () => {
  test('reads a whole response', async () => {
    upstream.script(answers(completion('Hello.')));
    const response = await openai.responses.create({ model: 'm', input: 'hi', instructions: 'Be brief.' });
    expect(response.output_text).toBe('Hello.');
    expect(response).toMatchObject({
      status: 'completed',
      usage: { input_tokens: 9, output_tokens: 12, total_tokens: 21 },
      brokle: { attempts: 1 },
    });
    expect(upstream.calls[0]?.body.messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'hi' },
    ]);
  });

  test('reads a stream to its final response', async () => {
    upstream.script(streamsTexts('Hel', 'lo.'));
    const stream = openai.responses.stream({ model: 'm', input: 'hi' });
    let text = '';
    stream.on('response.output_text.delta', ({ delta }) => {
      text += delta;
    });
    const response = await stream.finalResponse();
    expect({ text, output: response.output_text }).toEqual({ text: 'Hello.', output: 'Hello.' });
    expect(response).toMatchObject({ usage: { input_tokens: 9, output_tokens: 12 }, brokle: { cost: expect.any(Number) } });
  });

  test('reads a stream of a server that refuses to be asked for usage, which is estimated then', async () => {
    const refusal: Script = answers({ error: { message: 'extra fields not permitted: stream_options' } }, 400);
    const plain = streams(chunk({ role: 'assistant', content: '' }), chunk({ content: 'Hello.' }), chunk({}, 'stop'), 'data: [DONE]\n\n');
    upstream.script(refusal, plain);
    const response = await openai.responses.stream({ model: 'm', input: 'hi' }).finalResponse();
    expect(response).toMatchObject({
      output_text: 'Hello.',
      usage: { output_tokens: expect.any(Number) },
      brokle: { usage_estimated: true },
    });
    expect(upstream.calls.map(({ body }) => body.stream_options)).toEqual([{ include_usage: true }, undefined]);
  });

  test('runs a turn of tools and sends the results back, over Google, with the signature', async () => {
    await open(google);
    upstream.script(replays('tools-parallel'), replays('text'));
    const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: 'weather?' }];
    const first = await openai.responses.create({ model: 'm', input, tools: [functionTool], include: ['reasoning.encrypted_content'] });
    const calls = first.output.filter((item) => item.type === 'function_call');
    expect(calls.map(({ name, arguments: text }) => [name, text])).toEqual([
      ['weather', '{"city":"Oslo"}'],
      ['weather', '{"city":"Rome"}'],
    ]);
    input.push(
      ...(first.output as OpenAI.Responses.ResponseInput),
      ...calls.map(({ call_id }) => ({ type: 'function_call_output' as const, call_id, output: '{"t":1}' })).reverse(),
    );
    const second = await openai.responses.create({ model: 'm', input, tools: [functionTool] });
    expect(second.output_text).toBe('北京 🌧 Hello.');
    const [, model, results] = upstream.calls[1]?.body.contents ?? [];
    expect(model.parts[0]).toEqual({ functionCall: { id: '8f4z', name: 'weather', args: { city: 'Oslo' } }, thoughtSignature: 'c2ln' });
    expect(results.parts.map(({ functionResponse }: { functionResponse: { id: string } }) => functionResponse.id)).toEqual([
      '8f4z',
      '9a2b',
    ]);
    expect(world.records.at(-1)?.warnings).toEqual([]);
  });

  test('runs the same turn streamed', async () => {
    await open(google);
    upstream.script(replays('tools-parallel'));
    const response = await openai.responses.stream({ model: 'm', input: 'w', tools: [functionTool] }).finalResponse();
    expect(response.output).toMatchObject([
      { type: 'reasoning', encrypted_content: expect.any(String) },
      { type: 'function_call', arguments: '{"city":"Oslo"}' },
      { type: 'function_call', arguments: '{"city":"Rome","id":12345678901234567890}' },
    ]);
  });

  test('parses structured output', async () => {
    await open(google);
    upstream.script(replays('structured'));
    const format = {
      type: 'json_schema' as const,
      name: 'r',
      schema: { type: 'object', properties: { score: { type: 'integer' } } },
      strict: true,
    };
    const response = await openai.responses.parse({ model: 'm', input: 'rate', text: { format } });
    expect(JSON.parse(response.output_text)).toEqual({ score: 7 });
    expect(upstream.calls[0]?.body.generationConfig.responseJsonSchema).toMatchObject({ type: 'object' });
  });

  test('shows reasoning as a summary', async () => {
    await open(google);
    upstream.script(replays('thinking'));
    const asked = { model: 'm', input: 'count', reasoning: { effort: 'low' as const } };
    const whole = await openai.responses.create(asked);
    const streamed = await openai.responses.stream(asked).finalResponse();
    for (const { output } of [whole, streamed]) {
      expect(output[0]).toMatchObject({ type: 'reasoning', summary: [{ type: 'summary_text', text: '**Counting** the letters.' }] });
    }
    expect([whole, streamed].map(({ usage }) => usage?.output_tokens_details.reasoning_tokens)).toEqual([90, 90]);
  });

  test('ends with response.incomplete where the limit was reached', async () => {
    upstream.script(
      answers(completion('Hel', { choices: [{ index: 0, message: { role: 'assistant', content: 'Hel' }, finish_reason: 'length' }] })),
    );
    expect(await openai.responses.create({ model: 'm', input: 'hi' })).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
    });
  });

  test('throws where the stream is interrupted', async () => {
    upstream.script(streams(chunk({ role: 'assistant', content: '' }), chunk({ content: 'Hel' }), reset));
    const read = async () => {
      for await (const _ of await openai.responses.create({ model: 'm', input: 'hi', stream: true }));
    };
    await expect(read()).rejects.toThrow(APIError);
    expect(world.records.at(-1)).toMatchObject({ outcome: 'error' });
  });

  test('throws a 400 that names an unsupported member', async () => {
    const asked = openai.responses.create({ model: 'm', input: 'hi', previous_response_id: 'resp_1' });
    await expect(asked).rejects.toThrow(BadRequestError);
    await expect(asked).rejects.toMatchObject({ param: 'previous_response_id', code: 'unsupported_parameter' });
    expect(upstream.calls).toEqual([]);
  });
});

describe("the AI SDK's default model", () => {
  const model = () => createOpenAI({ baseURL: server.url, apiKey: 'bk' })('m');
  const tools = {
    weather: tool({ inputSchema: z.object({ city: z.string() }), execute: async ({ city }) => ({ city, t: 1 }) }),
  };

  test('generates text', async () => {
    upstream.script(answers(completion('Hello.')));
    const { text, usage, finishReason } = await generateText({ model: model(), prompt: 'hi' });
    expect({ text, finishReason, input: usage.inputTokens, output: usage.outputTokens }).toEqual({
      text: 'Hello.',
      finishReason: 'stop',
      input: 9,
      output: 12,
    });
  });

  test('streams text', async () => {
    upstream.script(streamsTexts('Hel', 'lo.'));
    const result = streamText({ model: model(), prompt: 'hi' });
    expect(await result.text).toBe('Hello.');
    expect(await result.finishReason).toBe('stop');
  });

  test.each(['whole', 'streamed'])('runs a loop of tools over Google (%s)', async (how) => {
    await open(google);
    upstream.script(replays('tools-parallel'), replays('text'));
    const options = { model: model(), prompt: 'weather?', tools, stopWhen: isStepCount(3) };
    const text = how === 'whole' ? (await generateText(options)).text : await streamText(options).text;
    expect(text).toBe('北京 🌧 Hello.');
    expect(upstream.calls[1]?.body.contents[2].parts).toHaveLength(2);
  });

  test('sends the signature back when it stores nothing', async () => {
    await open(google);
    upstream.script(replays('tools-parallel'), replays('text'));
    const providerOptions = { openai: { store: false } };
    await generateText({ model: model(), prompt: 'weather?', tools, stopWhen: isStepCount(3), providerOptions });
    expect(upstream.calls[1]?.body.contents[1].parts[0].thoughtSignature).toBe('c2ln');
  });

  test('learns what to do when it sends references to what nobody has stored', async () => {
    upstream.script(answers(completion('Hello.')));
    const first = await generateText({ model: model(), prompt: 'hi' });
    const messages = [{ role: 'user' as const, content: 'hi' }, ...first.response.messages, { role: 'user' as const, content: 'and?' }];
    await expect(generateText({ model: model(), messages, maxRetries: 0 })).rejects.toThrow(/'store' of 'openai' to false/);
    const providerOptions = { openai: { store: false } };
    expect((await generateText({ model: model(), messages, providerOptions })).text).toBe('Hello.');
    expect(upstream.calls.at(-1)?.body.messages[1]).toEqual({ role: 'assistant', content: 'Hello.' });
  });

  test('generates an object', async () => {
    await open(google);
    upstream.script(replays('structured'));
    const { output } = await generateText({
      model: model(),
      prompt: 'rate',
      output: Output.object({ schema: z.object({ score: z.number() }) }),
    });
    expect(output).toEqual({ score: 7 });
  });

  test('sees an error where the stream is interrupted', async () => {
    upstream.script(streams(chunk({ role: 'assistant', content: '' }), chunk({ content: 'Hel' }), reset));
    const errors: unknown[] = [];
    const { fullStream } = streamText({ model: model(), prompt: 'hi', maxRetries: 0, onError: ({ error }) => void errors.push(error) });
    for await (const _ of fullStream);
    expect(errors).toHaveLength(1);
  });
});
