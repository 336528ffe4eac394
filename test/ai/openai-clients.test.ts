import type { ServerResponse } from 'node:http';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { afterEach, describe, expect, test } from '@jest/globals';
import { ChatOpenAI } from '@langchain/openai';
import { generateText, streamText } from 'ai';
import OpenAI, { APIError } from 'openai';
import { type FrontServer, startFrontServer } from './front-server.ts';
import { gatewayWorld } from './gateway-world.ts';
import { CompletionShape, checkStream, ErrorShape } from './openai-shapes.ts';
import {
  answers,
  chunk,
  completion,
  DONE,
  fails,
  type Piece,
  reset,
  type Script,
  startUpstream,
  streams,
  streamsTexts,
  usageChunk,
} from './scripted-upstream.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});
async function over(...scripts: Script[]): Promise<FrontServer> {
  const upstreams = await Promise.all(scripts.map((script) => startUpstream(script)));
  const world = gatewayWorld(upstreams.map(({ url }) => ({ url, more: { max_retries: 0 } })));
  const server = await startFrontServer(world.ports);
  open.push(...upstreams, world, server);
  return server;
}

interface Told {
  text: string;
  failed: boolean;
}
/** What an application reads of a stream, and whether its client tells it of a failure. */
const clients: Record<string, (url: string) => Promise<Told>> = {
  openai: (url) =>
    told(async function* () {
      const client = new OpenAI({ apiKey: 'bk', baseURL: url, maxRetries: 0 });
      for await (const { choices } of await client.chat.completions.create({ ...ask, stream: true })) yield choices[0]?.delta.content ?? '';
    }),
  '@ai-sdk/openai': (url) => byAi(createOpenAI({ apiKey: 'bk', baseURL: url }).chat('m')),
  '@ai-sdk/openai-compatible': (url) => byAi(createOpenAICompatible({ name: 'gateway', apiKey: 'bk', baseURL: url }).chatModel('m')),
  '@langchain/openai': (url) =>
    told(async function* () {
      const model = new ChatOpenAI({ model: 'm', apiKey: 'bk', maxRetries: 0, configuration: { baseURL: url } });
      for await (const { content } of await model.stream('hi')) yield typeof content === 'string' ? content : '';
    }),
};
const ask = { model: 'm', messages: [{ role: 'user' as const, content: 'hi' }] };

async function told(read: () => AsyncIterable<string>): Promise<Told> {
  let text = '';
  try {
    for await (const piece of read()) text += piece;
    return { text, failed: false };
  } catch {
    return { text, failed: true };
  }
}
async function byAi(model: Parameters<typeof streamText>[0]['model']): Promise<Told> {
  let text = '';
  let failed = false;
  const { fullStream } = streamText({ model, prompt: 'hi', maxRetries: 0, onError: () => {} });
  for await (const part of fullStream) {
    if (part.type === 'text-delta') text += part.text;
    if (part.type === 'error') failed = true;
  }
  return { text, failed };
}

describe.each(Object.entries(clients))('%s', (_name, read) => {
  test('reads a stream', async () => {
    const { url } = await over(streamsTexts('Hel', 'lo'));
    expect(await read(url)).toEqual({ text: 'Hello', failed: false });
  });

  test('reads the answer of the second provider where the first one fails before content', async () => {
    const { url } = await over(
      streams(chunk({ role: 'assistant', content: '' }), { error: { message: 'worker full' } }),
      streamsTexts('Hel', 'lo'),
    );
    expect(await read(url)).toEqual({ text: 'Hello', failed: false });
  });

  test('tells its application of a stream that is cut', async () => {
    const { url } = await over(streams(chunk({ role: 'assistant', content: '' }), chunk({ content: 'Hel' }), settled, reset));
    expect(await read(url)).toEqual({ text: 'Hel', failed: true });
  });

  test('tells its application of a provider that is down', async () => {
    const { url } = await over(fails(503));
    expect(await read(url)).toEqual({ text: '', failed: true });
  });
});

/** Lets what was written arrive. */
const settled = () => new Promise((turn) => setTimeout(turn, 30));

test('whole answers come through every client', async () => {
  const { url } = await over(answers(completion('Hello')));
  const openai = new OpenAI({ apiKey: 'bk', baseURL: url });
  expect(CompletionShape.parse(await openai.chat.completions.create(ask))).toMatchObject({ choices: [{ message: { content: 'Hello' } }] });
  expect((await generateText({ model: createOpenAI({ apiKey: 'bk', baseURL: url }).chat('m'), prompt: 'hi' })).text).toBe('Hello');
  expect(
    (await generateText({ model: createOpenAICompatible({ name: 'g', apiKey: 'bk', baseURL: url }).chatModel('m'), prompt: 'hi' })).text,
  ).toBe('Hello');
  expect((await new ChatOpenAI({ model: 'm', apiKey: 'bk', configuration: { baseURL: url } }).invoke('hi')).content).toBe('Hello');
});

const WHOLE: Piece[] = [
  chunk({ role: 'assistant', content: '' }),
  chunk({ content: 'Hel' }),
  chunk({ content: 'lo' }),
  chunk({ tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'f', arguments: '' } }] }),
  chunk({ tool_calls: [{ index: 0, function: { arguments: '{"a":1}' } }] }),
  chunk({}, 'tool_calls'),
  usageChunk(),
  DONE,
];
const read = async (url: string, body: object) => {
  const response = await fetch(`${url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...ask, ...body }),
  });
  return { status: response.status, text: await response.text() };
};

test.each([false, true])('every chunk has OpenAI’s shape (usage asked for: %s)', async (usage) => {
  const { url } = await over(streams(...WHOLE));
  const { text } = await read(url, { stream: true, ...(usage && { stream_options: { include_usage: true } }) });
  expect(checkStream(text, { usage })).toBe('done');
});

test.each(WHOLE.map((_piece, at) => at))(
  'a stream that is cut after %i pieces ends in words or is whole, and is never silent',
  async (at) => {
    const { url } = await over(streams(...WHOLE.slice(0, at), settled, reset));
    const { status, text } = await read(url, { stream: true });
    // Before content the status itself tells; after the finish nothing is missing but the provider's own end.
    const expected = at < 2 ? 502 : 200;
    expect(status).toBe(expected);
    if (expected === 502) expect(ErrorShape.parse(JSON.parse(text)).error.code).toBe('provider_error');
    else expect(checkStream(text)).toBe(at < 6 ? 'failed' : 'done');
  },
);

test('with a healthy second provider every cut before content is invisible', async () => {
  for (const at of [0, 1]) {
    const { url } = await over(streams(...WHOLE.slice(0, at), settled, reset), streams(...WHOLE));
    expect(checkStream((await read(url, { stream: true })).text)).toBe('done');
  }
});

test('a provider that never stops is cut at the largest answer, or goes on as long as the caller reads', async () => {
  const endless = async (response: ServerResponse) => {
    for (let n = 0; !response.destroyed; n++) {
      response.write(`data: ${JSON.stringify(chunk({ content: `${n} ` }))}\n\n`);
      if (n % 100 === 0) await new Promise((turn) => setImmediate(turn));
    }
  };
  const { url } = await over(streams(endless));
  const client = new OpenAI({ apiKey: 'bk', baseURL: url, maxRetries: 0 });
  const stream = await client.chat.completions.create({ ...ask, stream: true });
  let pieces = 0;
  for await (const _chunk of stream) if (++pieces === 1_000) break;
  expect(pieces).toBe(1_000);
});

test('a refusal is an APIError with status, code and param, and is not repeated where repeating can’t help', async () => {
  const { url } = await over(
    answers({ error: { message: 'bad tool', type: 'invalid_request_error', param: 'tools.[0]', code: 'invalid_value' } }, 400),
  );
  const client = new OpenAI({ apiKey: 'bk', baseURL: url, maxRetries: 0 });
  const error: unknown = await client.chat.completions.create(ask).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(APIError);
  expect(error).toMatchObject({ status: 400, code: 'invalid_value', param: 'tools.[0]' });
});
