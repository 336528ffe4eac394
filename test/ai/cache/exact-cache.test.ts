import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createAnswerCache } from '../../../lib/ai/cache/answer-cache.ts';
import type { IncomingChat } from '../../../lib/ai/completion/call/running-call.ts';
import type { ProjectSettings } from '../../../lib/ai/routing/project-settings.ts';
import type { Database } from '../../../lib/platform/database/database.ts';
import { newId } from '../../../lib/platform/ids.ts';
import { silentLog } from '../../../lib/platform/log.ts';
import { type GatewayWorld, gatewayWorld, readAll } from '../gateway-world.ts';
import { openUsageStore, standingClock, type UsageStore } from '../limits/usage-store.ts';
import {
  answers,
  chunk,
  completion,
  DONE,
  type Script,
  type ScriptedUpstream,
  startUpstream,
  streams,
  usageChunk,
} from '../scripted-upstream.ts';

let store: UsageStore;
beforeAll(async () => {
  store = await openUsageStore();
});
afterAll(() => store.close());
const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

const clock = standingClock(Date.parse('2026-01-07T12:00:00Z'));
const EXACT: ProjectSettings['cache'] = { strategy: 'exact', ttl_seconds: 60, similarity_threshold: 0.9, embedding_model: null };

interface World extends GatewayWorld {
  upstream: ScriptedUpstream;
  project: string;
  /** Answers one chat of this project, and says whether a provider was asked. */
  asked(request?: Record<string, unknown>, more?: Partial<IncomingChat>): Promise<boolean>;
}
/** A gateway with an empty cache of its own. `restart` gives one that remembers nothing in memory. */
async function cached(script: Script, changes: Partial<ProjectSettings> = {}, project = newId()): Promise<World> {
  const upstream = await startUpstream(script);
  const world = gatewayWorld([{ url: upstream.url }], { cache: EXACT, ...changes });
  world.ports.cache = createAnswerCache({ database: store.database, clock, log: silentLog });
  open.push(world, upstream);
  const chat: World['chat'] = (request, more = {}) => world.chat(request, { principal: principalOf(project), ...more });
  return {
    ...world,
    upstream,
    project,
    chat,
    async asked(request, more) {
      const before = upstream.calls.length;
      const answer = await chat(request, more);
      if (answer.kind === 'stream') await readAll(answer);
      return upstream.calls.length > before;
    },
  };
}
const principalOf = (project_id: string): IncomingChat['principal'] => ({
  type: 'project-key',
  key_id: 'key',
  key_name: 'k',
  project_id,
  organization_id: 'org',
  plan: 'free',
  scopes: [],
  requests_per_minute: 100,
  tokens_per_minute: null,
  expires_at_ms: null,
});

const BASE = { messages: [{ role: 'user', content: 'hi' }] };
const tool = {
  type: 'function',
  function: { name: 'f', parameters: { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } } } },
};

test('the same question is answered a second time for nothing, under a new id, and says so', async () => {
  const { chat, upstream, records, settled } = await cached(answers(completion('Hello')));
  const first = await chat();
  const second = await chat();
  if (first.kind !== 'completion' || second.kind !== 'completion') throw new Error('not whole');
  expect(upstream.calls).toHaveLength(1);
  expect(first.headers['x-brokle-cache']).toBe('MISS');
  expect(second.headers).toMatchObject({
    'x-brokle-cache': 'HIT',
    'x-brokle-cost-usd': '0',
    'x-brokle-attempts': '0',
    'x-brokle-provider': 'openai',
  });
  expect(second.completion).toMatchObject({
    choices: first.completion.choices,
    usage: { prompt_tokens: 9, completion_tokens: 12 },
    brokle: { cache_hit: true, cost: 0, attempts: 0, provider: 'openai' },
  });
  expect(second.completion.id).not.toBe(first.completion.id);
  expect(records).toMatchObject([
    { cache: 'MISS', cost_pico_usd: '33000000', saved_pico_usd: '0' },
    { cache: 'HIT', cost_pico_usd: '0', saved_pico_usd: '33000000', usage: { prompt_tokens: 0, completion_tokens: 0 }, outcome: 'success' },
  ]);
  expect(settled).toEqual([]);
});

test('another instance finds the answer in the store', async () => {
  const one = await cached(answers(completion('Hello')));
  await one.chat();
  const other = await cached(answers(completion('Other')), {}, one.project);
  expect(await other.asked()).toBe(false);
});

describe('what a key has', () => {
  test.each<[string, Record<string, unknown>]>([
    ['reasoning_effort', { reasoning_effort: 'high' }],
    ['tools', { tools: [tool] }],
    ['tool_choice', { tool_choice: 'none' }],
    ['response_format', { response_format: { type: 'json_object' } }],
    ['seed', { seed: 7 }],
    ['logprobs', { logprobs: true }],
    ['n', { n: 1 }],
    ['stop', { stop: ['x'] }],
    ['max_tokens', { max_tokens: 5 }],
    ['dimensions', { dimensions: 5 }],
    ['user', { user: 'u' }],
    ['an unknown member', { num_ctx: 4096 }],
    ['null instead of nothing', { num_ctx: null }],
    ['a tool_call_id in the history', { messages: [...BASE.messages, { role: 'tool', tool_call_id: 'a', content: '' }] }],
    ['an image', { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }] }] }],
    ['the order of messages', { messages: [{ role: 'user', content: 'b' }, ...BASE.messages] }],
  ])('two calls that differ in %s ask the provider twice', async (_name, change) => {
    const { asked } = await cached(answers(completion('Hello')));
    expect([await asked(BASE), await asked({ ...BASE, ...change }), await asked(BASE)]).toEqual([true, true, false]);
  });

  test.each<[string, Record<string, unknown>, Partial<IncomingChat>]>([
    ['the order of members', { tools: [{ function: { parameters: tool.function.parameters, name: 'f' }, type: 'function' }] }, {}],
    ['tags', { tools: [tool] }, { options: { tags: ['a'] } }],
    ['the id of the request', { tools: [tool] }, { request_id: 'another' }],
  ])('two calls that differ in %s ask the provider once', async (_name, request, more) => {
    const { asked } = await cached(answers(completion('Hello')));
    expect([await asked({ ...BASE, tools: [tool] }), await asked({ ...BASE, ...request }, more)]).toEqual([true, false]);
  });

  test('another project, another operation and another provider ask again', async () => {
    const one = await cached(answers(completion('Hello')));
    await one.chat();
    expect(await one.asked({}, { principal: principalOf(newId()) })).toBe(true);
    expect(await one.asked({}, { operation: 'responses' })).toBe(true);
    for (const provider of one.settings.providers) Object.assign(provider, { provider_id: 'another' });
    expect(await one.asked()).toBe(true);
  });

  test('numbers whose digits are lost in JavaScript are never taken for each other', async () => {
    const { asked } = await cached(answers(completion('Hello')));
    expect([await asked({ seed: 2 ** 60 }), await asked({ seed: 2 ** 60 })]).toEqual([true, true]);
  });
});

describe('what is kept', () => {
  test.each(['content_filter', 'function_call'])('an answer that ended with %s is not kept', async (finish_reason) => {
    const choice = { index: 0, message: { role: 'assistant', content: 'x', refusal: null }, logprobs: null, finish_reason };
    const { asked } = await cached(answers(completion('', { choices: [choice] })));
    expect([await asked(), await asked()]).toEqual([true, true]);
  });

  test('a failed call is not kept', async () => {
    const { asked, upstream } = await cached((_call, response) => response.writeHead(400).end('{"error":{"message":"no"}}'));
    await expect(asked()).rejects.toThrow();
    upstream.script(answers(completion('Hello')));
    expect(await asked()).toBe(true);
  });

  test('an answer that is too large for the store is given and not kept', async () => {
    const noise = Array.from({ length: 60_000 }, () => newId()).join('');
    const { asked } = await cached(answers(completion(noise)));
    expect([await asked(), await asked()]).toEqual([true, true]);
  });

  test('an answer ends with its time, by the clock', async () => {
    const { asked } = await cached(answers(completion('Hello')));
    expect(await asked()).toBe(true);
    clock.move(59_000);
    expect(await asked()).toBe(false);
    clock.move(1_000);
    expect(await asked()).toBe(true);
  });
});

describe('who wants a cache', () => {
  test('nobody, unless the project or the call asks for one', async () => {
    const { chat, asked } = await cached(answers(completion('Hello')), { cache: { ...EXACT, strategy: 'disabled' } });
    expect((await chat()).headers['x-brokle-cache']).toBe('DISABLED');
    expect(await asked()).toBe(true);
    const more: Partial<IncomingChat> = { options: { cache_strategy: 'exact' } };
    expect([await asked({}, more), await asked({}, more)]).toEqual([true, false]);
  });

  test('a call can switch the cache of its project off', async () => {
    const { asked } = await cached(answers(completion('Hello')));
    await asked();
    expect(await asked({}, { options: { cache_strategy: 'disabled' } })).toBe(true);
  });

  test('no-cache asks again and keeps the new answer; no-store keeps nothing', async () => {
    const { asked, chat, upstream } = await cached(answers(completion('old')));
    expect(await asked({}, { cache_control: 'no-store' })).toBe(true);
    expect(await asked()).toBe(true);
    upstream.script(answers(completion('new')));
    expect(await asked({}, { cache_control: 'max-age=0, No-Cache' })).toBe(true);
    expect(await chat()).toMatchObject({ completion: { choices: [{ message: { content: 'new' } }] } });
  });
});

describe('streams', () => {
  const told = streams(
    chunk({ role: 'assistant', content: '' }),
    chunk({ content: 'Hel' }),
    chunk({ content: 'lo' }),
    chunk({}, 'stop'),
    usageChunk(),
    DONE,
  );

  test('a streamed answer is given again as a stream, and as a whole', async () => {
    const { chat, upstream } = await cached(told);
    expect((await readAll(await chat({ stream: true }))).text).toBe('Hello');
    const again = await readAll(await chat({ stream: true, stream_options: { include_usage: true } }));
    expect(again).toMatchObject({ text: 'Hello', done: true, brokle: { cache_hit: true, cost: 0 } });
    const chunks = again.frames.flatMap((frame) => (frame.kind === 'chunk' ? [frame.chunk] : []));
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 12 } });
    expect(chunks.filter(({ choices }) => choices.some(({ finish_reason }) => finish_reason !== null))).toHaveLength(1);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    expect(await chat()).toMatchObject({
      kind: 'completion',
      completion: { choices: [{ message: { content: 'Hello' }, finish_reason: 'stop' }] },
    });
    expect(upstream.calls).toHaveLength(1);
  });

  test('a whole answer with tools is given again as a stream', async () => {
    const call = { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } };
    const message = { role: 'assistant', content: null, refusal: null, tool_calls: [call] };
    const { chat } = await cached(
      answers(completion('', { choices: [{ index: 0, message, logprobs: null, finish_reason: 'tool_calls' }] })),
    );
    await chat();
    const again = await readAll(await chat({ stream: true }));
    const deltas = again.frames.flatMap((frame) => (frame.kind === 'chunk' ? frame.chunk.choices.map(({ delta }) => delta) : []));
    expect(deltas.flatMap(({ tool_calls = [] }) => tool_calls)).toEqual([{ index: 0, ...call }]);
  });

  test('tool calls that came in pieces are kept whole', async () => {
    const piece = (index: number, more: object) => chunk({ tool_calls: [{ index, ...more }] });
    const { chat } = await cached(
      streams(
        chunk({ role: 'assistant', content: null }),
        piece(0, { id: 'call_1', type: 'function', function: { name: 'f', arguments: '' } }),
        piece(0, { function: { arguments: '{"a":' } }),
        piece(0, { function: { arguments: '1}' } }),
        piece(1, { id: 'call_2', type: 'function', function: { name: 'g', arguments: '{}' } }),
        chunk({}, 'tool_calls'),
        usageChunk(),
        DONE,
      ),
    );
    await readAll(await chat({ stream: true }));
    expect(await chat()).toMatchObject({
      headers: { 'x-brokle-cache': 'HIT' },
      completion: {
        choices: [
          {
            finish_reason: 'tool_calls',
            message: {
              content: null,
              tool_calls: [
                { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } },
                { id: 'call_2', type: 'function', function: { name: 'g', arguments: '{}' } },
              ],
            },
          },
        ],
      },
    });
  });

  test('a stream that was cut is not kept', async () => {
    const { chat, asked } = await cached((call, response) => {
      void call;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`data: ${JSON.stringify(chunk({ role: 'assistant', content: 'Hel' }))}\n\n`, () => response.destroy());
    });
    expect((await readAll(await chat({ stream: true }))).done).toBe(false);
    await expect(asked({ stream: true })).resolves.toBe(true);
  });
});

test('without the store calls are answered by their provider, and no read is waited for longer than its limit', async () => {
  const world = await cached(answers(completion('Hello')));
  // The store answers nothing until the test is over.
  const over = Promise.withResolvers<undefined>();
  const reads: Promise<unknown>[] = [];
  const database: Database = {
    ...store.database,
    get(...asked) {
      const read = over.promise.then(() => store.database.get(...asked));
      reads.push(read);
      return read;
    },
  };
  const waits: number[] = [];
  const noted = { ...clock, sleep: (ms: number, signal?: AbortSignal) => clock.sleep(0, signal).then(() => void waits.push(ms)) };
  world.ports.cache = createAnswerCache({ database, clock: noted, log: silentLog });
  expect(await world.asked()).toBe(true);
  expect([reads.length, waits]).toEqual([1, [250]]);
  over.resolve(undefined);
  await Promise.all(reads);
});

test('a store that refuses fails no call', async () => {
  const world = await cached(answers(completion('Hello')));
  const refusing: Database = {
    ...store.database,
    get: () => Promise.reject(new Error('down')),
    write: () => Promise.reject(new Error('down')),
  };
  world.ports.cache = createAnswerCache({ database: refusing, clock, log: silentLog });
  expect([await world.asked(), await world.asked()]).toEqual([true, true]);
});
