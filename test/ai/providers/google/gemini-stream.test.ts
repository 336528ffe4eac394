import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { StreamPart } from '../../../../lib/ai/providers/adapter.ts';
import { geminiAdapter } from '../../../../lib/ai/providers/google/gemini-adapter.ts';
import type { ChunkChoice, ReasoningDetail, ToolCallDelta } from '../../../../lib/ai/wire/chat.ts';
import { createSseParser } from '../../../../lib/platform/sse/sse-parser.ts';

const bytesOf = (name: string): Buffer => readFileSync(new URL(`./fixtures/${name}.sse`, import.meta.url));
const target = { provider_id: 'google', type: 'google' as const, base_url: 'https://g', api_key: 'k', model: 'gemini-2.5-flash' };

/** Reads a stream in pieces of this many bytes. */
function partsOf(bytes: Buffer, pieceBytes = bytes.length): StreamPart[] {
  const parser = createSseParser();
  const decoder = geminiAdapter.stream(target);
  const parts: StreamPart[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    for (const event of parser.push(bytes.subarray(at, at + pieceBytes))) parts.push(...decoder.decode(event));
  }
  for (const event of parser.end()) parts.push(...decoder.decode(event));
  return [...parts, ...decoder.end()];
}

/** What a client has put together at the end of the stream. */
function assembled(parts: readonly StreamPart[], index = 0) {
  const choices = parts.flatMap((part): ChunkChoice[] =>
    part.kind === 'chunk' ? part.chunk.choices.filter((choice) => choice.index === index) : [],
  );
  const deltas = choices.map(({ delta }) => delta);
  return {
    role: deltas.flatMap(({ role }) => role ?? []).join(),
    content: deltas.map(({ content }) => content ?? '').join(''),
    reasoning: deltas.map(({ reasoning_content }) => reasoning_content ?? '').join(''),
    details: deltas.flatMap(({ reasoning_details }): ReasoningDetail[] => reasoning_details ?? []),
    calls: deltas.flatMap(({ tool_calls }): ToolCallDelta[] => tool_calls ?? []),
    finish: choices.flatMap(({ finish_reason }) => finish_reason ?? []),
    ended: parts.at(-1)?.kind,
  };
}
const usageOf = (parts: readonly StreamPart[]) => parts.findLast((part) => part.kind === 'usage')?.usage.fields;
const failureOf = (parts: readonly StreamPart[]) => parts.find((part) => part.kind === 'failure')?.failure;

const FIXTURES = ['text', 'tools-parallel', 'thinking', 'candidates', 'safety', 'blocked-prompt', 'error-midstream', 'cut'];

test.each(FIXTURES)('the stream %s reads the same however its bytes are cut', (name) => {
  const bytes = bytesOf(name);
  const withoutIds = (parts: StreamPart[]) => JSON.stringify(parts).replaceAll(/call_\w{24}/g, 'call');
  const whole = withoutIds(partsOf(bytes));
  for (let size = 1; size <= 40; size++) expect(withoutIds(partsOf(bytes, size))).toBe(whole);
});

test.each(['\n\n', '\r\r', '\r\n\r\n'])('events that end with %j are read', (end) => {
  const text = bytesOf('text').toString().replaceAll('\r\n\r\n', end);
  expect(assembled(partsOf(Buffer.from(text), 1)).content).toBe('北京 🌧 Hello.');
});

describe('a stream of Google', () => {
  test('of text has one role, the whole text, one finish and an end', () => {
    const parts = partsOf(bytesOf('text'));
    expect(assembled(parts)).toMatchObject({ role: 'assistant', content: '北京 🌧 Hello.', finish: ['stop'], ended: 'done' });
    expect(new Set(parts.flatMap((part) => (part.kind === 'chunk' ? part.chunk.id : [])))).toEqual(new Set(['chatcmpl-r-1']));
  });

  test('repeats usage, of which the last counts', () => {
    expect(usageOf(partsOf(bytesOf('text')))).toMatchObject({ promptTokenCount: 9, candidatesTokenCount: 12, totalTokenCount: 21 });
  });

  test('with calls in two events counts them over the whole stream, with different ids', () => {
    const { calls, details, finish } = assembled(partsOf(bytesOf('tools-parallel')));
    expect(calls).toMatchObject([
      { index: 0, type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' }, thought_signature: 'c2ln' },
      { index: 1, type: 'function', function: { name: 'weather', arguments: '{"city":"Rome","id":12345678901234567890}' } },
    ]);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(2);
    expect(calls[1]).not.toHaveProperty('thought_signature');
    expect(details).toEqual([{ type: 'google.thought_signature', signature: 'c2ln', tool_call_id: calls[0]?.id }]);
    expect(finish).toEqual(['tool_calls']);
  });

  test('with thoughts keeps them apart from the text', () => {
    expect(assembled(partsOf(bytesOf('thinking')))).toMatchObject({
      content: 'Three.',
      reasoning: '**Counting** the letters.',
      details: [{ type: 'google.thought_signature', signature: 'dGV4dA==' }],
      finish: ['stop'],
    });
  });

  test('of several candidates ends each of them once', () => {
    const parts = partsOf(bytesOf('candidates'));
    expect(assembled(parts, 0)).toMatchObject({ content: 'Aa', finish: ['length'], ended: 'done' });
    expect(assembled(parts, 1)).toMatchObject({ content: 'B', finish: ['stop'] });
  });

  test('whose prompt is blocked ends with content_filter', () => {
    expect(assembled(partsOf(bytesOf('blocked-prompt')))).toMatchObject({
      role: 'assistant',
      content: '',
      finish: ['content_filter'],
      ended: 'done',
    });
  });

  test('that is stopped for safety ends with content_filter after the text', () => {
    expect(assembled(partsOf(bytesOf('safety')))).toMatchObject({ content: 'Well,', finish: ['content_filter'], ended: 'done' });
  });

  test.each([
    { name: 'error-midstream', status: 503, blame: 'provider' },
    { name: 'error-midstream-list', status: 429, blame: 'rate_limited' },
    { name: 'malformed-call', status: 502, blame: 'provider' },
  ])('with a failure ($name) tells it and does not end well', ({ name, status, blame }) => {
    const parts = partsOf(bytesOf(name));
    expect(failureOf(parts)).toMatchObject({ status, blame });
    expect(parts.at(-1)?.kind).toBe('failure');
  });

  test('that is cut has no end', () => {
    expect(assembled(partsOf(bytesOf('cut')))).toMatchObject({ content: 'The capital of', finish: [], ended: 'chunk' });
  });

  test.each(['data: {"candi\n\n', 'data: <html>\n\n', 'data: {"candidates":[3]}\n\n'])('with a broken event (%j) is a failure', (text) => {
    expect(failureOf(partsOf(Buffer.from(text)))).toMatchObject({ status: 502, blame: 'provider' });
  });

  test('that goes on after a finish reason keeps one finish', () => {
    const event = (text: string) =>
      `data: ${JSON.stringify({ candidates: [{ content: { parts: [{ text }] }, finishReason: 'STOP' }] })}\n\n`;
    expect(assembled(partsOf(Buffer.from(event('a') + event('b'))))).toMatchObject({ content: 'ab', finish: ['stop'], ended: 'done' });
  });
});
