import { afterEach, expect, test } from '@jest/globals';
import { completionsFront } from '../../../lib/ai/fronts/completions/completions-front.ts';
import type { UsableProvider } from '../../../lib/ai/routing/project-settings.ts';
import { isStream } from '../../../lib/platform/http/http-event.ts';
import { silentLog } from '../../../lib/platform/log.ts';
import { createSseParser } from '../../../lib/platform/sse/sse-parser.ts';
import { type GatewayWorld, gatewayWorld } from '../gateway-world.ts';
import {
  answers,
  chunk,
  completion,
  DONE,
  fails,
  type Script,
  type ScriptedUpstream,
  startUpstream,
  streams,
  streamsTexts,
  usageChunk,
} from '../scripted-upstream.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
/** A gateway over one provider that has only chat, or, if the test says so, the legacy operation as well. */
async function over(
  script: Script | Script[],
  more: Partial<UsableProvider> = CHAT_ONLY,
): Promise<GatewayWorld & { upstream: ScriptedUpstream }> {
  const upstream = await startUpstream(...[script].flat());
  const world = gatewayWorld([{ url: upstream.url, more }]);
  open.push(world, upstream);
  return { ...world, upstream };
}
/** OpenAI's chat models are refused at its legacy operation. */
const CHAT_ONLY = { type: 'openai' } as const;
const LEGACY = { type: 'openai-compatible' } as const;

async function complete({ ports }: GatewayWorld, body: Record<string, unknown>, text = JSON.stringify({ model: 'm', ...body })) {
  const answer = await completionsFront(
    ports,
    { value: JSON.parse(text), text },
    {
      request_id: 'req_1',
      operation: 'completions',
      principal: {
        type: 'project-key',
        key_id: 'key',
        key_name: 'k',
        project_id: 'project',
        organization_id: 'org',
        plan: 'free',
        scopes: [],
        requests_per_minute: 100,
        tokens_per_minute: null,
        expires_at_ms: null,
      },
      options: {},
      forwarded: {},
      signal: new AbortController().signal,
      client_retries: 0,
      log: silentLog,
      noted: {},
    },
  );
  let sent = answer.text ?? '';
  if (answer.stream && isStream(answer.stream)) for await (const bytes of answer.stream) sent += Buffer.from(bytes).toString();
  await answer.onEnd?.({ outcome: 'complete', bytes: 0 });
  return { headers: answer.headers ?? {}, sent };
}
const json = async (world: GatewayWorld, body: Record<string, unknown>) => JSON.parse((await complete(world, body)).sent);
const eventsOf = (sent: string) =>
  createSseParser()
    .push(Buffer.from(sent))
    .map(({ data }) => (data === '[DONE]' ? data : JSON.parse(data)));

test('a prompt is asked as a chat where the provider has only that', async () => {
  const world = await over(answers(completion('Hello')));
  const answer = await json(world, { prompt: 'hi', max_tokens: 5, temperature: 0, num_ctx: 1 });
  expect(world.upstream.calls[0]).toMatchObject({
    path: '/v1/chat/completions',
    body: { model: 'm', messages: [{ role: 'user', content: 'hi' }], max_tokens: 5, temperature: 0, num_ctx: 1 },
  });
  expect(world.upstream.calls[0]?.body).not.toHaveProperty('prompt');
  expect(answer).toMatchObject({
    id: 'cmpl-1',
    object: 'text_completion',
    created: 1_700_000_000,
    model: 'gpt-4o-2024-08-06',
    choices: [{ text: 'Hello', index: 0, logprobs: null, finish_reason: 'stop' }],
    usage: { prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 },
    brokle: { cost: 0.000033, provider: 'openai' },
  });
  expect(world.records).toMatchObject([{ operation: 'completions', outcome: 'success' }]);
});

test('each prompt becomes choices of its own, in the order of the prompts', async () => {
  const two = (call: { body: { messages: { content: string }[] } }) =>
    ['a', 'b'].map((letter, index) => ({
      index,
      message: { role: 'assistant', content: `${call.body.messages[0]?.content}${letter}` },
      finish_reason: 'stop',
    }));
  const world = await over((call, response) => answers(completion('', { choices: two(call) }))(call, response));
  const answer = await json(world, { prompt: ['x', 'y', 'z'], n: 2, echo: true });
  expect(answer.choices.map(({ index, text }: { index: number; text: string }) => `${index} ${text}`)).toEqual([
    '0 xxa',
    '1 xxb',
    '2 yya',
    '3 yyb',
    '4 zza',
    '5 zzb',
  ]);
  expect(answer.usage).toEqual({ prompt_tokens: 27, completion_tokens: 36, total_tokens: 63 });
  expect(answer.brokle.cost).toBeCloseTo(0.000099, 12);
  expect(world.records.map(({ request_id }) => request_id).sort()).toEqual(['req_1', 'req_1.2', 'req_1.3']);
});

test('a provider that has the legacy operation gets the caller’s own text', async () => {
  const legacy = {
    id: 'cmpl-7',
    object: 'text_completion',
    created: 1,
    model: 'm',
    choices: [{ text: ' Hello', index: 0, logprobs: { tokens: [' Hello'] }, finish_reason: 'length' }],
    usage: { prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 },
  };
  const world = await over(answers(legacy), LEGACY);
  const text = '{"model":"m","prompt":[1,2,3],"suffix":"!","echo":true,"seed":9007199254740993}';
  const { sent } = await complete(world, {}, text);
  expect(world.upstream.calls[0]).toMatchObject({ path: '/v1/completions', text });
  expect(JSON.parse(sent)).toMatchObject({ ...legacy, brokle: { cost: 0.000033 } });
});

test('a server that turns out not to have the legacy operation is asked a chat, and nobody notices', async () => {
  const world = await over([answers({ detail: 'Not Found' }, 404), answers(completion('Hello'))], LEGACY);
  expect(await json(world, { prompt: 'hi' })).toMatchObject({ choices: [{ text: 'Hello' }], brokle: { attempts: 1 } });
  expect(world.upstream.calls.map(({ path }) => path)).toEqual(['/v1/completions', '/v1/chat/completions']);
  expect(world.records).toMatchObject([{ outcome: 'success', attempts: [{ status_code: 200 }] }]);
  world.upstream.script(answers({ detail: 'Not Found' }, 404), streamsTexts('Hel', 'lo'));
  expect((await complete(world, { prompt: 'hi', stream: true })).sent).toContain('"text":"lo"');
});

test('a prompt of tokens is refused by name where the provider takes only text', async () => {
  const world = await over(answers(completion('Hello')));
  await expect(complete(world, { prompt: [1, 2, 3] })).rejects.toMatchObject({ kind: 'bad_request', details: { param: 'prompt' } });
  expect(world.upstream.calls).toEqual([]);
});

test('a stream of a chat is written as text completions, with the cost on the finish', async () => {
  const world = await over(streamsTexts('Hel', 'lo'));
  const events = eventsOf(
    (await complete(world, { prompt: 'hi', stream: true, echo: true, stream_options: { include_usage: true } })).sent,
  );
  expect(events.at(-1)).toBe('[DONE]');
  expect(events.slice(0, -1).map(({ object }) => object)).toEqual([
    'text_completion',
    'text_completion',
    'text_completion',
    'text_completion',
  ]);
  expect(events.slice(0, 3).map(({ choices }) => choices)).toEqual([
    [{ text: 'hiHel', index: 0, logprobs: null, finish_reason: null }],
    [{ text: 'lo', index: 0, logprobs: null, finish_reason: null }],
    [{ text: '', index: 0, logprobs: null, finish_reason: 'stop' }],
  ]);
  expect(events[2].brokle.cost).toBe(0.000033);
  expect(events[3]).toMatchObject({ choices: [], usage: { total_tokens: 21 } });
  const ids = new Set(events.slice(0, -1).map(({ id }) => id));
  expect([...ids]).toEqual([expect.stringMatching(/^cmpl-/)]);
});

test('a legacy stream of the provider passes through the same rules', async () => {
  const text = (content: string, finish: string | null = null) => ({
    id: 'cmpl-7',
    object: 'text_completion',
    created: 1,
    model: 'm',
    choices: [{ text: content, index: 0, logprobs: null, finish_reason: finish }],
  });
  const world = await over(streams(text('Hel'), text('lo'), text('', 'stop'), usageChunk(), DONE), LEGACY);
  const events = eventsOf((await complete(world, { prompt: 'hi', stream: true, echo: true })).sent);
  expect(world.upstream.calls[0]?.body.stream_options).toEqual({ include_usage: true });
  expect(events.slice(0, -1).map(({ choices }) => choices[0].text)).toEqual(['Hel', 'lo', '']);
  expect(events.at(-2)).toMatchObject({ choices: [{ finish_reason: 'stop' }], brokle: { cost: 0.000033 } });
});

test('the streams of several prompts follow one another and end once', async () => {
  const world = await over([streamsTexts('a'), streamsTexts('b')]);
  const events = eventsOf((await complete(world, { prompt: ['x', 'y'], stream: true })).sent);
  expect(events.filter((event) => event === '[DONE]')).toHaveLength(1);
  expect(events.slice(0, -1).map(({ choices: [{ index, text }] }) => `${index} ${text}`)).toEqual(['0 a', '0 ', '1 b', '1 ']);
  expect(world.records.map(({ request_id, outcome }) => `${request_id} ${outcome}`)).toEqual(['req_1 success', 'req_1.2 success']);
});

test('a stream that breaks off, or a later prompt that fails, ends with an error and without [DONE]', async () => {
  const broken = await over(streams(chunk({ content: 'a' })));
  expect(eventsOf((await complete(broken, { prompt: ['x', 'y'], stream: true })).sent).at(-1)).toMatchObject({
    error: { code: 'upstream_stream_interrupted' },
  });
  expect(broken.upstream.calls).toHaveLength(1);
  const later = await over([streamsTexts('a'), fails(400, 'no')]);
  expect(eventsOf((await complete(later, { prompt: ['x', 'y'], stream: true })).sent).at(-1)).toMatchObject({ error: { message: 'no' } });
});

test('log probabilities of a chat are written in the legacy form', async () => {
  const content = [
    { token: 'He', logprob: -0.1, top_logprobs: [{ token: 'He', logprob: -0.1 }] },
    { token: 'llo', logprob: -0.2, top_logprobs: [] },
  ];
  const choice = {
    index: 0,
    message: { role: 'assistant', content: 'Hello' },
    logprobs: { content, refusal: null },
    finish_reason: 'stop',
  };
  const world = await over(answers(completion('', { choices: [choice] })));
  const answer = await json(world, { prompt: 'hi', logprobs: 1 });
  expect(world.upstream.calls[0]?.body).toMatchObject({ logprobs: true, top_logprobs: 1 });
  expect(answer.choices[0].logprobs).toEqual({
    tokens: ['He', 'llo'],
    token_logprobs: [-0.1, -0.2],
    top_logprobs: [{ He: -0.1 }, {}],
    text_offset: [0, 2],
  });
});

test('what a chat can’t do is told as a warning', async () => {
  const world = await over(answers(completion('Hello')));
  expect((await json(world, { prompt: 'hi', suffix: '!', best_of: 3 })).brokle.warnings).toEqual([
    'suffix is kept only by providers that have /v1/completions',
    'best_of is kept only by providers that have /v1/completions',
  ]);
});
