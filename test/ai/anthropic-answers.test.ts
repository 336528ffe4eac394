import { expect, test } from '@jest/globals';
import { chatToMessage } from '../../lib/ai/fronts/messages/chat-to-message.ts';
import type { StreamPart } from '../../lib/ai/providers/adapter.ts';
import { UnusableAnswer } from '../../lib/ai/providers/adapter.ts';
import { anthropicAdapter } from '../../lib/ai/providers/anthropic/anthropic-adapter.ts';
import { addedUp, answerJson, answerNames, answerSse, claude, decodeStream, recordedError } from './anthropic-fixtures.ts';

const decoded = (name: string) => anthropicAdapter.completion(answerJson(name), claude());
const message = (name: string) => decoded(name).completion.choices[0]?.message;
const failureOf = (parts: readonly StreamPart[]) => parts.find((part) => part.kind === 'failure');

test.each(answerNames)('the stream of %s adds up to the same answer, finish reason and usage as its JSON', (name) => {
  const parts = decodeStream([answerSse(name)]);
  const { completion, usage } = decoded(name);
  const [choice] = completion.choices;
  const sum = addedUp(parts);
  expect({ ...sum, finish: sum.finish[0] }).toEqual({
    content: choice?.message.content ?? '',
    reasoning: choice?.message.reasoning_content ?? '',
    refusal: choice?.message.refusal,
    details: choice?.message.reasoning_details ?? [],
    calls: (choice?.message.tool_calls ?? []).map((call) => ({ id: call.id, ...call.function })),
    finish: choice?.finish_reason,
  });
  expect(sum.finish).toHaveLength(1);
  expect(parts.findLast((part) => part.kind === 'usage')).toEqual({ kind: 'usage', usage });
  expect(parts.at(-1)).toEqual({ kind: 'done' });
});

test.each(answerNames)('the stream of %s reads the same however its bytes are cut', (name) => {
  const bytes = answerSse(name);
  const whole = decodeStream([bytes]);
  for (const size of [1, 2, 3, 7, 64, 1_000]) {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size));
    expect(decodeStream(pieces)).toEqual(whole);
  }
  const crlf = Buffer.from(bytes.toString('utf8').replaceAll('\n', '\r\n'));
  expect(decodeStream([...crlf].map((byte) => Uint8Array.of(byte)))).toEqual(whole);
});

test('calls of tools are counted by themselves, and a call without arguments has {}', () => {
  const { calls, finish } = addedUp(decodeStream([answerSse('parallel-tools')]));
  expect(calls).toEqual([
    { id: 'toolu_01A', name: 'weather', arguments: '{"city":"Oslo"}' },
    { id: 'toolu_01B', name: 'weather', arguments: '{"city":"Rome"}' },
    { id: 'toolu_01C', name: 'now', arguments: '{}' },
  ]);
  expect(finish).toEqual(['tool_calls']);
});

test('a signature travels in reasoning_details and never inside the text of the reasoning', () => {
  const { reasoning, details } = addedUp(decodeStream([answerSse('thinking-tool')]));
  expect(details).toEqual([{ type: 'thinking', text: reasoning, signature: 'EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pkiMOYds' }]);
  expect(reasoning).not.toContain('EqQB');
  expect(message('redacted-thinking')?.reasoning_details?.map(({ type }) => type)).toEqual([
    'redacted_thinking',
    'thinking',
    'redacted_thinking',
  ]);
});

test.each([
  ['text', 'stop'],
  ['tool', 'tool_calls'],
  ['refusal', 'content_filter'],
  ['max-tokens', 'length'],
  ['stop-sequence', 'stop'],
  ['pause-turn', 'stop'],
])('the answer %s ends with %s', (name, reason) => {
  expect(decoded(name).completion.choices[0]?.finish_reason).toBe(reason);
});

test('an answer with only tools has null content, and one without any content has empty content', () => {
  expect(message('thinking-tool')?.content).toBeNull();
  expect(message('empty')?.content).toBe('');
});

test('prompt_tokens in OpenAI’s form contain what was read from the cache and written to it', () => {
  expect(decoded('cached').completion.usage).toMatchObject({
    prompt_tokens: 188_107,
    completion_tokens: 393,
    total_tokens: 188_500,
    prompt_tokens_details: { cached_tokens: 188_086 },
  });
  expect(decoded('cache-write-1h').usage?.fields).toMatchObject({
    cache_creation: { ephemeral_5m_input_tokens: 400, ephemeral_1h_input_tokens: 600 },
  });
  expect(decoded('thinking-tool').completion.usage).toMatchObject({ completion_tokens_details: { reasoning_tokens: 61 } });
});

test('searches that Anthropic ran and the tier that served are in the usage', () => {
  const { usage } = decoded('pause-turn');
  expect(usage).toMatchObject({ service_tier: 'standard', fields: { server_tool_use: { web_search_requests: 2 } } });
});

test.each([
  ['an error before the content', 'error-before-content', 529, 'provider'],
  ['an error in mid-stream', 'error-in-mid-stream', 529, 'provider'],
])('%s is a failure with the status that it stands for, and the stream is not done', (_, name, status, blame) => {
  const parts = decodeStream([answerSse(name)]);
  expect(failureOf(parts)).toMatchObject({ failure: { status, blame, message: 'Overloaded' } });
  expect(parts.some(({ kind }) => kind === 'done')).toBe(false);
});

test('a stream that is cut is never done', () => {
  expect(decodeStream([answerSse('cut')]).some(({ kind }) => kind === 'done' || kind === 'failure')).toBe(false);
});

test.each(['not json', '[]', '"text"', 'null'])('the event %s is a failure of the provider', (data) => {
  expect(anthropicAdapter.stream(claude()).decode({ event: 'message', data })).toEqual([
    { kind: 'failure', failure: expect.objectContaining({ status: 502, blame: 'provider' }) },
  ]);
});

test.each([['<html>gateway</html>'], [null], [[]], [{}], [{ type: 'message', content: 'text' }]])('the body %j is no answer', (body) => {
  expect(() => anthropicAdapter.completion(body, claude())).toThrow(UnusableAnswer);
});

test.each([
  ['invalid', 'caller', null],
  ['too-long', 'caller', 'context_length_exceeded'],
  ['credit', 'exhausted_account', null],
  ['key', 'credentials', null],
  ['permission', 'credentials', null],
  ['model', 'caller', null],
  ['too-large', 'caller', null],
  ['rate-limit', 'rate_limited', null],
  ['api', 'provider', null],
  ['overloaded', 'provider', null],
])('the error %s is blamed on %s', (name, blame, code) => {
  const { status, headers, body } = recordedError(name);
  expect(anthropicAdapter.failure(status, headers, body)).toMatchObject({ status, blame, code });
});

test('a refusal names the parameter as OpenAI writes it, and the time to wait comes in milliseconds', () => {
  const { status, headers, body } = recordedError('invalid');
  expect(anthropicAdapter.failure(status, headers, body).param).toBe('messages.[1].content.[0].tool_result');
  expect(anthropicAdapter.failure(429, { 'retry-after': '17' }, {}).retry_after_ms).toBe(17_000);
  const date = { 'retry-after': 'Thu, 01 Jan 2026 00:10:00 GMT', date: 'Thu, 01 Jan 2026 00:09:30 GMT' };
  expect(anthropicAdapter.failure(429, date, {}).retry_after_ms).toBe(30_000);
  expect(anthropicAdapter.failure(429, { 'retry-after': 'soon' }, {})).not.toHaveProperty('retry_after_ms');
});

test('a key that the provider repeats in its error never reaches the caller', () => {
  for (const key of ['sk-ant-api03-abcdefghijklmnop', 'sk-ant-api03-***wxyz']) {
    const body = { type: 'error', error: { type: 'invalid_request_error', message: `bad key ${key} given` } };
    expect(anthropicAdapter.failure(400, {}, body).message).not.toMatch(/abcdef|wxyz/);
  }
});

test('an address that answers 404 without Anthropic’s shape lacks the endpoint', () => {
  expect(anthropicAdapter.failure(404, {}, '<html>not found</html>').blame).toBe('missing_endpoint');
});

test('numbers in the input of a tool keep their digits, translated and as Anthropic sent them', () => {
  const digits = '{"id":12345678901234567890,"price":1.50}';
  const text = `{"id":"m","type":"message","model":"c","content":[{"type":"tool_use","id":"t1","name":"t","input":${digits}}],"stop_reason":"tool_use"}`;
  const { completion } = anthropicAdapter.completion(JSON.parse(text), claude(), text);
  expect(completion.choices[0]?.message.tool_calls?.[0]?.function.arguments).toBe(digits);
  expect(JSON.stringify(chatToMessage(completion, 1))).toContain(digits);
});

test('an error that is a text of its own keeps its words', () => {
  expect(anthropicAdapter.failure(502, {}, { error: 'the relay is not configured' })).toMatchObject({
    status: 502,
    message: 'the relay is not configured',
  });
});
