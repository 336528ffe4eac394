import { afterEach, expect, test } from '@jest/globals';
import type { ProviderModel } from '../../lib/ai/routing/project-settings.ts';
import { type GatewayWorld, gatewayWorld, leavingCaller, readAll } from './gateway-world.ts';
import {
  answers,
  chunk,
  completion,
  fails,
  type Script,
  type ScriptedUpstream,
  silence,
  startUpstream,
  streams,
  streamsTexts,
} from './scripted-upstream.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

type Place = { script: Script; model?: Partial<ProviderModel> };
async function over(places: Place[], hedgeAfterMs?: number): Promise<GatewayWorld & { upstreams: ScriptedUpstream[] }> {
  const upstreams = await Promise.all(places.map(({ script }) => startUpstream(script)));
  const world = gatewayWorld(
    upstreams.map(({ url }, index) => ({ url, model: places[index]?.model ?? {} })),
    { policy: { priority: 'balanced', ...(hedgeAfterMs !== undefined && { hedge_after_ms: hedgeAfterMs }) } },
  );
  open.push(world, ...upstreams);
  return { ...world, upstreams };
}
const prefill = { features: ['prefill'] };
const cutAfter = (...deltas: object[]): Script => streams(...deltas.map((delta) => chunk({ ...delta })));

test('a cut stream goes on at a model that takes a beginning, without a doubled or missing character', async () => {
  const { chat, upstreams, records } = await over([
    { script: cutAfter({ role: 'assistant', content: '' }, { content: 'The capital ' }, { content: 'of ' }) },
    { script: streamsTexts('never asked') },
    { script: streamsTexts(' France', ' is Paris.'), model: prefill },
  ]);
  const { text, done, failure, brokle, frames } = await readAll(await chat({ stream: true }));
  expect({ text, done, failure }).toEqual({ text: 'The capital of France is Paris.', done: true, failure: undefined });
  expect(upstreams[1]?.calls).toEqual([]);
  expect(upstreams[2]?.calls[0]?.body.messages.at(-1)).toEqual({ role: 'assistant', content: 'The capital of' });
  expect(brokle).toMatchObject({ provider: 'openai-3', attempts: 2, usage_estimated: true, cost_estimated: true });
  const chunks = frames.flatMap((frame) => (frame.kind === 'chunk' ? [frame.chunk] : []));
  expect(new Set(chunks.map(({ id, model }) => `${id} ${model}`)).size).toBe(1);
  expect(chunks.filter(({ choices: [choice] }) => choice?.delta.role)).toHaveLength(1);
  const [record] = records;
  expect(record).toMatchObject({ outcome: 'success', attempts: [{ health: 'failure' }, { health: 'success' }] });
  // The first part is estimated, the second one counted.
  expect(record?.usage.completion_tokens).toBeGreaterThan(12);
});

const impossible: [string, object[], Record<string, unknown>][] = [
  [
    'a tool call had begun',
    [{ tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a' } }] }],
    {},
  ],
  ['reasoning had begun', [{ reasoning_content: 'Let me' }, { content: 'Well' }], {}],
  ['two answers were wanted', [{ content: 'The' }], { n: 2 }],
  ['the answer has a schema', [{ content: '{"a' }], { response_format: { type: 'json_schema', json_schema: { name: 'r', schema: {} } } }],
];
test.each(impossible)('a stream that is cut when %s fails at once', async (_name, deltas, request) => {
  const { chat, upstreams } = await over([{ script: cutAfter(...deltas) }, { script: streamsTexts('x'), model: prefill }]);
  expect(await readAll(await chat({ stream: true, ...request }))).toMatchObject({ failure: 'upstream_stream_interrupted', done: false });
  expect(upstreams[1]?.calls).toEqual([]);
});

test('a model that refuses to go on counts against nobody, and the caller learns of the cut', async () => {
  const { chat, records } = await over([
    { script: cutAfter({ content: 'The' }) },
    { script: fails(400, 'no prefill here'), model: prefill },
  ]);
  expect(await readAll(await chat({ stream: true }))).toMatchObject({ text: 'The', failure: 'upstream_stream_interrupted' });
  expect(records).toMatchObject([{ attempts: [{ health: 'failure' }, { health: 'ignored' }] }]);
});

for (const streamed of [false, true]) {
  const well = streamed ? streamsTexts('Hello') : answers(completion('Hello'));
  test(`a second provider is asked where the first one is silent, and the silent one is ended and costs nothing (stream: ${streamed})`, async () => {
    const { chat, upstreams, records } = await over([{ script: silence }, { script: well }], 30);
    const answer = await chat({ stream: streamed });
    if (answer.kind === 'stream') expect(await readAll(answer)).toMatchObject({ text: 'Hello', done: true });
    await upstreams[0]?.calls[0]?.closed;
    expect(records).toMatchObject([
      { provider: 'openai-2', cost_pico_usd: '33000000', attempts: [{ health: 'ignored', cost_pico_usd: '0' }, { health: 'success' }] },
    ]);
  });

  test(`a provider that answers in time has no rival (stream: ${streamed})`, async () => {
    const { chat, upstreams } = await over([{ script: well }, { script: well }], 5_000);
    const answer = await chat({ stream: streamed });
    if (answer.kind === 'stream') await readAll(answer);
    expect(upstreams.map(({ calls }) => calls.length)).toEqual([1, 0]);
  });

  test(`where the first of two rivals fails, the answer of the second one is waited for (stream: ${streamed})`, async () => {
    const late =
      (ms: number, script: Script): Script =>
      async (call, response) => {
        await new Promise((turn) => setTimeout(turn, ms));
        return script(call, response);
      };
    const { chat } = await over([{ script: late(60, fails(500)) }, { script: late(120, well) }], 20);
    const answer = await chat({ stream: streamed });
    if (answer.kind === 'stream') expect(await readAll(answer)).toMatchObject({ text: 'Hello', done: true });
    else expect(answer.completion.brokle).toMatchObject({ provider: 'openai-2' });
  });
}

test('the loser of two rivals is charged for what it had made', async () => {
  const { chat, records } = await over(
    [{ script: streams(chunk({ role: 'assistant', content: '' }), silence) }, { script: streamsTexts('Hello') }],
    20,
  );
  await readAll(await chat({ stream: true }));
  expect(records).toMatchObject([{ attempts: [{ cost_pico_usd: '0', error: 'another provider was faster' }, { health: 'success' }] }]);
});

test('a caller who leaves in the middle of a stream ends it upstream, and pays for what was made', async () => {
  const { chat, upstreams, records } = await over([{ script: streams(chunk({ content: 'Hello there' }), silence) }]);
  const caller = leavingCaller();
  const answer = await chat({ stream: true }, { signal: caller.signal });
  if (answer.kind !== 'stream') throw new Error('not a stream');
  for await (const _batch of answer.frames) caller.leave();
  await answer.onEnd({ outcome: 'client_closed', bytes: 1 });
  await upstreams[0]?.calls[0]?.closed;
  expect(records).toMatchObject([{ outcome: 'client_closed', usage_estimated: true, attempts: [{ health: 'ignored' }] }]);
  expect(Number(records[0]?.cost_pico_usd)).toBeGreaterThan(0);
});
