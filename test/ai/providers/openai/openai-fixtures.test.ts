import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { mendCompletion } from '../../../../lib/ai/completion/rules/completion-rules.ts';
import { normalUsage } from '../../../../lib/ai/pricing/normal-usage.ts';
import type { UpstreamFailure } from '../../../../lib/ai/providers/adapter.ts';
import { openaiCompletion } from '../../../../lib/ai/providers/openai/openai-completion.ts';
import { openaiFailure, openaiFailureIn } from '../../../../lib/ai/providers/openai/openai-failures.ts';
import type { ChatChunk } from '../../../../lib/ai/wire/chat.ts';
import { assembled, cutInto, type Streamed, streamed } from '../../completion/streamed.ts';

/** Answers of OpenAI and of servers that resemble it, written after their public documentation: each as JSON and as a stream. */
const FOLDER = join(import.meta.dirname, '../../fixtures/openai');
const read = (file: string) => readFileSync(join(FOLDER, file), 'utf8');
const names = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.json') && !file.startsWith('error-'))
  .map((file) => file.slice(0, -5));

let ids = 0;
function whole(name: string) {
  const body = JSON.parse(read(`${name}.json`));
  const { completion, usage } = openaiCompletion(body);
  return { completion: mendCompletion(completion, { head: { id: 'o', created: 1, model: 'o' }, callId: () => `call_${ids++}` }), usage };
}
const streamOf = (name: string): Streamed =>
  streamed([read(`${name}.sse`)], { choices: name.includes('two-choices') ? 2 : 1, includeUsage: true });

/** All of a choice's deltas added up. */
function addedUp(chunks: readonly ChatChunk[], index: number) {
  const { content, calls, finish } = assembled(chunks, index);
  const text = (member: 'reasoning_content' | 'refusal') =>
    chunks
      .flatMap(({ choices }) => choices.filter((choice) => choice.index === index))
      .map(({ delta }) => delta[member] ?? '')
      .join('');
  return { content, calls, finish, reasoning: text('reasoning_content'), refusal: text('refusal') };
}

test.each(names)('the stream of %s adds up to the same answer, finish and usage as its JSON', (name) => {
  const { completion, usage } = whole(name);
  const stream = streamOf(name);
  expect(stream).toMatchObject({ complete: true, failure: undefined });
  for (const { index, message, finish_reason } of completion.choices) {
    expect(addedUp(stream.chunks, index)).toEqual({
      content: message.content ?? '',
      calls: (message.tool_calls ?? []).map(({ id, type, function: called }) => ({
        id,
        type,
        name: called.name,
        arguments: called.arguments,
      })),
      finish: [finish_reason],
      reasoning: message.reasoning_content ?? '',
      refusal: message.refusal ?? '',
    });
  }
  expect(stream.usage).toMatchObject({ ...usage?.fields });
  const { anomaly, estimated } = normalUsage(usage, { prompt_tokens: 1, completion_tokens: 1 });
  expect({ anomaly, estimated }).toEqual({ anomaly: false, estimated: false });
});

test.each(names)('every chunk of %s has the form that OpenAI publishes', (name) => {
  const { chunks } = streamOf(name);
  const [first] = chunks;
  const opened = new Set<number>();
  for (const chunk of chunks) {
    expect(chunk).toMatchObject({ id: first?.id, created: first?.created, model: first?.model, object: 'chat.completion.chunk' });
    for (const { index, delta, finish_reason } of chunk.choices) {
      if (!opened.has(index)) expect(delta.role).toBe('assistant');
      opened.add(index);
      expect([null, 'stop', 'length', 'tool_calls', 'content_filter']).toContain(finish_reason);
      expect(['string', 'undefined', 'object']).toContain(typeof delta.content);
      for (const call of delta.tool_calls ?? [])
        expect({ index: typeof call.index, text: typeof call.function?.arguments }).toEqual({ index: 'number', text: 'string' });
    }
  }
  const last = chunks.at(-1);
  expect(last).toMatchObject({ choices: [], usage: {} });
  expect(chunks.filter(({ choices }) => choices.length === 0)).toEqual([last]);
  expect(chunks.filter(({ brokle }) => brokle)).toEqual([chunks.at(-2)]);
});

test.each(names)('whole answers of %s have what OpenAI’s form requires', (name) => {
  const { completion } = whole(name);
  expect(completion).toMatchObject({
    object: 'chat.completion',
    id: expect.any(String),
    created: expect.any(Number),
    model: expect.any(String),
  });
  completion.choices.forEach((choice, place) => {
    expect(choice).toMatchObject({ index: place, message: { role: 'assistant' } });
    expect(choice.logprobs).toBeDefined();
    expect(choice.message.refusal).toBeDefined();
    expect(choice.message.content).toBeDefined();
    for (const call of choice.message.tool_calls ?? []) expect(call).toMatchObject({ type: 'function', id: expect.any(String) });
  });
});

test.each(names)('the stream of %s reads the same, however its bytes are cut and its lines end', (name) => {
  const stream = read(`${name}.sse`);
  const options = { choices: name.includes('two-choices') ? 2 : 1, includeUsage: true };
  const { chunks } = streamed([stream], options);
  for (const size of [1, 3, 64, 1_000]) {
    expect(streamed(cutInto(size, stream), options).chunks).toEqual(chunks);
    expect(streamed(cutInto(size, `\uFEFF${stream.replaceAll('\n', '\r\n')}`), options).chunks).toEqual(chunks);
  }
});

test('OpenAI’s own chunks keep their characters, but for the finish', () => {
  const stream = read('openai-text.sse');
  const { writes } = streamed([stream], { includeUsage: true });
  const passed = stream.split('\n\n').slice(0, -4).join('\n\n');
  expect(writes.join('').startsWith(passed)).toBe(true);
});

test('parallel calls on one index, as some versions of Ollama send them, are two calls', () => {
  expect(assembled(streamOf('ollama-parallel-tools').chunks).calls.map((call) => call.arguments)).toEqual([
    '{"city":"Oslo"}',
    '{"city":"Rome"}',
  ]);
});

test.each<[name: string, failure: Partial<UpstreamFailure>, text: string]>([
  ['error-first', { status: 502, blame: 'provider', message: 'Provider returned error' }, ''],
  ['error-first-choice', { status: 502, blame: 'provider' }, ''],
  ['error-in-mid-stream', { status: 502, blame: 'provider' }, 'The '],
  ['error-overloaded-in-mid-stream', { status: 502, blame: 'provider' }, 'The '],
  ['error-groq-tool', { status: 400, blame: 'caller', code: 'tool_use_failed' }, ''],
])('the stream of %s fails, and what came before is out', (name, failure, text) => {
  const stream = streamOf(name);
  expect(stream.failure).toMatchObject(failure);
  expect(stream.complete).toBe(false);
  expect(assembled(stream.chunks)).toEqual({ content: text, calls: [], finish: [] });
});

test('a stream that is cut is neither complete nor failed by its provider’s word', () => {
  expect(streamOf('cut')).toMatchObject({ complete: false, failure: undefined });
});

test.each<[name: string, blame: UpstreamFailure['blame'], code: string | null]>([
  ['openai-invalid', 'caller', 'invalid_value'],
  ['openai-key', 'credentials', 'invalid_api_key'],
  ['openai-model', 'caller', 'model_not_found'],
  ['openai-rate-limit', 'rate_limited', 'rate_limit_exceeded'],
  ['openai-quota', 'exhausted_account', 'insufficient_quota'],
  ['openai-too-long', 'caller', 'context_length_exceeded'],
  ['openai-server', 'provider', null],
  ['openai-overloaded', 'provider', null],
  ['azure-filter', 'caller', 'content_filter'],
  ['azure-deployment', 'missing_endpoint', 'DeploymentNotFound'],
  ['azure-key', 'credentials', '401'],
  ['groq-capacity', 'provider', null],
  ['together-model', 'caller', 'model_not_available'],
  ['deepseek-balance', 'exhausted_account', 'invalid_request_error'],
  ['openrouter-credits', 'exhausted_account', '402'],
  ['openrouter-moderation', 'caller', null],
  ['mistral-validation', 'caller', null],
  ['mistral-key', 'credentials', null],
  ['xai-key', 'credentials', null],
  ['vllm-older', 'caller', 'context_length_exceeded'],
  ['vllm-model', 'caller', null],
  ['ollama-model', 'caller', null],
  ['proxy-html', 'provider', null],
])('the answer %s is blamed on the right one, and shows no part of a key', (name, blame, code) => {
  const { status, headers, body } = JSON.parse(read(`error-${name}.json`));
  const failure = openaiFailure(status, headers, body);
  expect(failure).toMatchObject({ status, blame, code });
  expect(failure.message).not.toMatch(/wxyz|\*\*\*/);
  if (name === 'openai-rate-limit') expect(failure.retry_after_ms).toBe(400);
});

test.each(names)('the answer %s is no failure', (name) => {
  expect(openaiFailureIn(JSON.parse(read(`${name}.json`)))).toBeUndefined();
});

test.each(['openai-text', 'openai-parallel-tools', 'mistral-tool', 'deepseek-reasoning'])(
  'the stream of %s, cut anywhere, is never complete without its finish, and never has text that was not sent',
  (name) => {
    const bytes = Buffer.from(read(`${name}.sse`));
    const whole = addedUp(streamed([bytes]).chunks, 0);
    for (let end = 0; end < bytes.length; end += 3) {
      const stream = streamed([bytes.subarray(0, end)]);
      const part = addedUp(stream.chunks, 0);
      expect(whole.content.startsWith(part.content)).toBe(true);
      expect(stream.writes.join('')).not.toContain('\uFFFD');
      expect(part.finish).toEqual(stream.complete ? whole.finish : []);
      if (stream.complete) expect(part).toEqual(whole);
    }
  },
);
