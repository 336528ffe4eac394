import { expect, test } from '@jest/globals';
import type { StreamPart } from '../../../../lib/ai/providers/adapter.ts';
import { adapterFor } from '../../../../lib/ai/providers/adapters.ts';
import { simulatedSend } from '../../../../lib/ai/providers/simulated/simulated-provider.ts';
import type { Clock } from '../../../../lib/platform/clock.ts';
import { createSseParser } from '../../../../lib/platform/sse/sse-parser.ts';

/** A clock whose sleeps take no time, and note themselves. */
function sleeplessClock(): Clock & { slept: number[] } {
  const slept: number[] = [];
  return {
    slept,
    nowMs: () => 1_767_225_600_000,
    monotonicMs: () => 0,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      slept.push(ms);
    },
  };
}
const target = { provider_id: 'simulated', type: 'simulated', base_url: 'simulated:', api_key: '', model: '' } as const;
const adapter = adapterFor('simulated');

async function ask(model: string, members: Record<string, unknown> = {}, clock: Clock = sleeplessClock(), signal?: AbortSignal) {
  const request = { model, messages: [{ role: 'user', content: 'hello there' }], ...members };
  const { url, body } = adapter.chat({ request, forwarded: {} }, { ...target, model });
  const answer = await simulatedSend(clock, { url, body, signal });
  const chunks = await Array.fromAsync(answer.body);
  return { status: answer.status, headers: answer.headers, text: Buffer.concat(chunks).toString() };
}
function partsOf(stream: string): StreamPart[] {
  const decoder = adapter.stream({ ...target });
  return createSseParser()
    .push(Buffer.from(stream))
    .flatMap((event) => decoder.decode(event));
}
const textIn = (parts: StreamPart[]) =>
  parts.map((part) => (part.kind === 'chunk' ? (part.chunk.choices[0]?.delta.content ?? '') : '')).join('');

test('an answer says that it is simulated, and is the same for the same request', async () => {
  const { status, text } = await ask('simulated/chat');
  const { completion, usage } = adapter.completion(JSON.parse(text), target);
  expect(status).toBe(200);
  expect(completion.model).toBe('simulated/chat');
  expect(completion.choices[0]?.message.content).toBe('This is a simulated answer. No model was asked. You said: hello there');
  expect(usage?.fields.completion_tokens).toBe(13);
  expect((await ask('simulated/chat')).text).toBe(text);
});

test('a stream has the same text and ends with usage and [DONE]', async () => {
  const { text } = await ask('chat', { stream: true });
  const parts = partsOf(text);
  expect(textIn(parts)).toBe('This is a simulated answer. No model was asked. You said: hello there');
  expect(parts.slice(-2).map(({ kind }) => kind)).toEqual(['usage', 'done']);
});

test.each([
  ['count-5', '1 2 3 4 5'],
  ['echo', 'hello there'],
])('the model %s answers %j', async (model, text) => {
  expect(textIn(partsOf((await ask(model, { stream: true })).text))).toBe(text);
});

test.each<[model: string, kinds: Set<string>, text: string]>([
  ['count-9-cut-3', new Set(['chunk']), '1 2 3'],
  ['count-9-error-2', new Set(['chunk', 'failure']), '1 2'],
  ['count-9-error-0', new Set(['chunk', 'failure']), ''],
  ['count-2-no-usage', new Set(['chunk', 'done']), '1 2'],
])('the model %s breaks off or leaves out what its name says', async (model, kinds, text) => {
  const parts = partsOf((await ask(model, { stream: true })).text);
  expect(new Set(parts.map(({ kind }) => kind))).toEqual(kinds);
  expect(textIn(parts)).toBe(text);
});

test.each([400, 401, 404, 429, 500, 503])('the model fail-%i answers with that status and an error', async (wanted) => {
  const { status, headers, text } = await ask(`fail-${wanted}`, { stream: true });
  expect(status).toBe(wanted);
  expect(adapter.failure(status, headers, JSON.parse(text)).message).toBe(`A simulated failure with status ${wanted}.`);
  expect(headers['retry-after']).toBe(wanted === 429 || wanted === 503 ? '1' : undefined);
});

test('a marker in the last message is a wish as well, and stronger than the name', async () => {
  const messages = [{ role: 'user', content: '[[simulate count=2 fail=429]]' }];
  expect((await ask('fail-500', { messages })).status).toBe(429);
});

test('a slow answer waits before its first byte, a paced one between its chunks', async () => {
  const clock = sleeplessClock();
  await ask('slow-250-count-2-pace-10', { stream: true }, clock);
  expect(clock.slept).toEqual([250, 10, 10, 10, 10, 10]);
});

test('a stalled stream ends when it is aborted', async () => {
  const abort = new AbortController();
  const asked = ask('count-9-stall-1', { stream: true }, sleeplessClock(), abort.signal);
  setImmediate(() => abort.abort());
  await expect(asked).rejects.toThrow('aborted');
});

test('tools are called if the name, the marker or the request wants it, and the result is answered with text', async () => {
  const tools = [
    {
      type: 'function',
      function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } },
    },
    { type: 'function', function: { name: 'now' } },
  ];
  const call = async (model: string, members: Record<string, unknown>) =>
    adapter.completion(JSON.parse((await ask(model, { tools, ...members })).text), target).completion.choices[0];
  const two = await call('tools-2', {});
  expect(two?.finish_reason).toBe('tool_calls');
  expect(two?.message.tool_calls?.map((one) => one.function)).toEqual([
    { name: 'weather', arguments: '{"city":"simulated"}' },
    { name: 'now', arguments: '{}' },
  ]);
  expect(new Set(two?.message.tool_calls?.map(({ id }) => id)).size).toBe(2);
  expect((await call('chat', { tool_choice: 'required' }))?.message.tool_calls).toHaveLength(1);
  expect(
    (await call('chat', { tool_choice: { type: 'function', function: { name: 'now' } } }))?.message.tool_calls?.[0]?.function.name,
  ).toBe('now');
  expect((await call('chat', {}))?.message.tool_calls).toBeUndefined();
  const messages = [{ role: 'tool', tool_call_id: 'a', content: '42' }];
  expect((await call('tools-2', { messages }))?.message.content).toMatch(/You said: 42$/);
});

test('limits, stop sequences, choices and formats are kept', async () => {
  const completion = async (members: Record<string, unknown>) =>
    adapter.completion(JSON.parse((await ask('count-5', members)).text), target).completion;
  expect((await completion({ max_tokens: 2 })).choices[0]).toMatchObject({ message: { content: '1 2' }, finish_reason: 'length' });
  expect((await completion({ stop: ['4'] })).choices[0]).toMatchObject({ message: { content: '1 2 3 ' }, finish_reason: 'stop' });
  expect((await completion({ n: 2 })).choices.map(({ index }) => index)).toEqual([0, 1]);
  const schema = { type: 'object', properties: { a: { enum: ['x'] }, b: { type: 'integer' } }, required: ['a', 'b'] };
  const format = { type: 'json_schema', json_schema: { name: 'r', schema } };
  const { text } = await ask('chat', { response_format: format });
  expect(JSON.parse(JSON.parse(text).choices[0].message.content)).toEqual({ a: 'x', b: 1 });
});

test('embeddings are alike for alike texts, in both encodings', async () => {
  const embed = async (input: unknown, members: Record<string, unknown> = {}) => {
    const body = JSON.stringify({ model: 'embeddings', input, ...members });
    const answer = await simulatedSend(sleeplessClock(), { url: 'simulated:/embeddings', body });
    const text = Buffer.concat(await Array.fromAsync(answer.body)).toString();
    return adapter.decodeEmbeddings?.(JSON.parse(text), target).vectors ?? [];
  };
  const [a = [], b = [], c = []] = await embed(['the cat sat', 'the cat sat down', 'entirely other words']);
  const likeness = (x: number[], y: number[]) => x.reduce((sum, value, index) => sum + value * (y[index] ?? 0), 0);
  expect(likeness(a, a)).toBeCloseTo(1, 5);
  expect(likeness(a, b)).toBeGreaterThan(likeness(a, c));
  expect(await embed('the cat sat', { encoding_format: 'base64' })).toEqual([a]);
  expect((await embed('x', { dimensions: 3 }))[0]).toHaveLength(3);
  expect(await embed([1, 2, 3])).toHaveLength(1);
});
