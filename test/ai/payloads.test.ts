import { afterEach, expect, test } from '@jest/globals';
import { redactMembers } from '../../lib/ai/records/redact-members.ts';
import { gatewayWorld, readAll } from './gateway-world.ts';
import { answers, completion, type Script, startUpstream, streamsTexts } from './scripted-upstream.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
async function over(
  script: Script,
  settings: Parameters<typeof gatewayWorld>[1],
  type: 'openai-compatible' | 'anthropic' = 'openai-compatible',
) {
  const upstream = await startUpstream(script);
  const world = gatewayWorld([{ url: upstream.url, more: { type } }], settings);
  open.push(world, upstream);
  return { ...world, upstream };
}
const sealedIn = (payload: { sealed: string } | null | undefined) => JSON.parse(String(payload?.sealed.split('|').slice(1).join('|')));
const options = { user_id: 'u-1', session_id: 's-1', tags: ['t'] };

test.each([
  ['none', null, null],
  ['metadata', 'u-1', null],
  ['full', 'u-1', expect.objectContaining({ truncated: false })],
] as const)('a project that captures %s keeps no more than that', async (capture, user, payload) => {
  const { chat, records } = await over(answers(completion('Hello')), { capture });
  await chat({}, { options });
  expect(records[0]).toMatchObject({ user, payload, tags: user === null ? [] : ['t'] });
});

test('a captured payload is sealed for its project and request, without what the project redacts', async () => {
  const { chat, records } = await over(streamsTexts('Hel', 'lo'), { capture: 'full', redact: ['/messages/*/content'] });
  await readAll(await chat({ stream: true }));
  expect(records[0]?.payload?.sealed).toMatch(/^payload project req_1\|/);
  expect(sealedIn(records[0]?.payload)).toEqual({
    request: { model: 'm', messages: [{ role: 'user', content: '[redacted]' }], stream: true },
    answer: { content: ['Hello'], reasoning: [], tool_calls: [] },
  });
});

test('a large payload is cut and says so', async () => {
  const { chat, records } = await over(answers(completion('x'.repeat(200_000))), { capture: 'full' });
  await chat();
  expect(records[0]?.payload?.truncated).toBe(true);
  expect(records[0]?.payload?.sealed.length).toBeLessThan(100_000);
});

test.each([
  ['/a/b', { a: { b: 1, c: 2 } }, { a: { b: '[redacted]', c: 2 } }],
  ['/a/*/b', { a: [{ b: 1 }, { c: 2 }] }, { a: [{ b: '[redacted]' }, { c: 2 }] }],
  ['/a~1b', { 'a/b': 1 }, { 'a/b': '[redacted]' }],
  ['/x/y', { a: 1 }, { a: 1 }],
  ['/__proto__/x', { a: 1 }, { a: 1 }],
])('the pointer %s redacts what it names and nothing else', (pointer, value, expected) => {
  expect(redactMembers(value, [pointer])).toEqual(expected);
});

const message: Script = answers({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-x',
  content: [{ type: 'text', text: 'Hello' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 9, output_tokens: 12 },
});

test('several answers of a provider that gives one for each call are one answer, and each call is paid', async () => {
  const { chat, upstream, records } = await over(message, {}, 'anthropic');
  const answer = await chat({ n: 3 });
  if (answer.kind !== 'completion') throw new Error('not whole');
  expect(answer.completion.choices.map(({ index, message: { content } }) => [index, content])).toEqual(
    [0, 1, 2].map((index) => [index, 'Hello']),
  );
  expect(answer.completion.usage).toMatchObject({ prompt_tokens: 27, completion_tokens: 36 });
  expect(upstream.calls).toHaveLength(3);
  expect(records).toMatchObject([{ cost_pico_usd: '99000000', usage: { prompt_tokens: 27 } }]);
});

test('a newer model of Google is asked once for each answer', async () => {
  const content = { role: 'model', parts: [{ text: 'Hello' }] };
  const usageMetadata = { promptTokenCount: 9, candidatesTokenCount: 12, totalTokenCount: 21 };
  const upstream = await startUpstream(answers({ candidates: [{ content, finishReason: 'STOP', index: 0 }], usageMetadata }));
  const world = gatewayWorld([{ url: upstream.url, model: { id: 'gemini-3.1-flash' }, more: { type: 'google' } }]);
  open.push(world, upstream);
  const answer = await world.chat({ model: 'gemini-3.1-flash', n: 2 });
  expect(answer).toMatchObject({ completion: { choices: [{ index: 0 }, { index: 1 }] } });
  expect(upstream.calls.map(({ body }) => body.generationConfig)).toEqual([undefined, undefined]);
});

test('the same comes as a stream, with one finish for each answer', async () => {
  const { chat } = await over(message, {}, 'anthropic');
  const { frames, done, brokle } = await readAll(await chat({ n: 2, stream: true }));
  const choices = frames.flatMap((frame) => (frame.kind === 'chunk' ? frame.chunk.choices : []));
  expect(choices.filter(({ finish_reason }) => finish_reason).map(({ index }) => index)).toEqual([0, 1]);
  expect({ done, cost: brokle.cost }).toEqual({ done: true, cost: 0.000066 });
});
