import { afterEach, expect, test } from '@jest/globals';
import { systemClock } from '../../lib/platform/clock.ts';
import { type GatewayWorld, gatewayWorld, leavingCaller, readAll } from './gateway-world.ts';
import {
  answers,
  chunk,
  completion,
  DONE,
  fails,
  reset,
  type Script,
  type ScriptedUpstream,
  silence,
  startUpstream,
  streams,
  streamsTexts,
  usageChunk,
} from './scripted-upstream.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

/** A gateway over one upstream for each script, asked in this order. */
async function over(...scripts: (Script | Script[])[]): Promise<GatewayWorld & { upstreams: ScriptedUpstream[] }> {
  const upstreams = await Promise.all(scripts.map((script) => startUpstream(...[script].flat())));
  const world = gatewayWorld(upstreams.map(({ url }) => ({ url })));
  open.push(world, ...upstreams);
  return { ...world, upstreams };
}

const tells = streamsTexts('Hel', 'lo');
const refusesWith = (status: number) =>
  expect.objectContaining({ details: expect.objectContaining({ provider: 'openai' }), kind: KINDS[status] });
const KINDS: Record<number, string> = {
  400: 'bad_request',
  422: 'unprocessable',
  429: 'rate_limited',
  502: 'upstream_failed',
  504: 'upstream_timeout',
};

test('a whole answer has the exact cost of the tokens that the provider counted', async () => {
  const { chat, records } = await over(answers(completion('Hello')));
  const answer = await chat();
  expect(answer).toMatchObject({
    kind: 'completion',
    completion: { choices: [{ message: { content: 'Hello' } }], brokle: { cost: 0.000033, provider: 'openai', attempts: 1 } },
  });
  expect(records).toMatchObject([
    {
      outcome: 'success',
      status_code: 200,
      cost_pico_usd: '33000000',
      cost_estimated: false,
      usage_estimated: false,
      usage: { prompt_tokens: 9, completion_tokens: 12 },
    },
  ]);
});

test('a stream comes through with its end, and the cost stands on the chunk with the finish', async () => {
  const { chat, records } = await over(tells);
  const { text, brokle, done, frames } = await readAll(await chat({ stream: true }));
  expect({ text, done, cost: brokle.cost }).toEqual({ text: 'Hello', done: true, cost: 0.000033 });
  expect(frames.filter((frame) => frame.kind === 'chunk' && frame.chunk.choices.length === 0)).toEqual([]);
  expect(records).toMatchObject([{ streamed: true, outcome: 'success', finish_reasons: ['stop'], ttft_ms: expect.any(Number) }]);
});

const failures: [string, Script, number][] = [
  ['429', fails(429), 429],
  ['500', fails(500), 502],
  ['a reset connection', (_call, response) => reset(response), 502],
  ['HTML in a 200', answers('<html>busy</html>', 200, { 'content-type': 'text/html' }), 502],
  ['half a JSON', answers('{"id":"chatcmpl-1","choi'), 502],
  ['an error in a 200', answers({ error: { message: 'worker full' } }), 502],
  ['a choice that is none', answers({ id: 'x', object: 'chat.completion', choices: [{}] }), 502],
];
for (const streamed of [false, true]) {
  test.each(failures)(`%s is invisible where another provider is well (stream: ${streamed})`, async (_name, script) => {
    const { chat, records } = await over(script, streamed ? tells : answers(completion('Hello')));
    const answer = await chat({ stream: streamed });
    if (answer.kind === 'stream')
      expect(await readAll(answer)).toMatchObject({ text: 'Hello', done: true, brokle: { provider: 'openai-2', attempts: 2 } });
    else expect(answer.completion).toMatchObject({ brokle: { provider: 'openai-2', attempts: 2 } });
    expect(records).toMatchObject([
      { outcome: 'success', attempts: [{ provider: 'openai' }, { provider: 'openai-2', health: 'success' }] },
    ]);
    expect(records[0]?.attempts[0]?.health).toBe(_name === '429' ? 'rate_limited' : 'failure');
  });

  test.each(failures)(`%s of the only provider is an error, not an answer (stream: ${streamed})`, async (_name, script, status) => {
    const { chat, records } = await over(script);
    await expect(chat({ stream: streamed })).rejects.toEqual(refusesWith(status));
    expect(records).toMatchObject([{ outcome: 'error', status_code: status, attempts: [{}, {}, {}] }]);
  });
}

test.each([400, 422])('a %i that is the caller’s fault is passed on and asked nowhere else', async (status) => {
  const { chat, upstreams, records } = await over(fails(status, 'temperature: too hot'), answers(completion('Hello')));
  await expect(chat()).rejects.toMatchObject({ kind: KINDS[status], message: 'temperature: too hot' });
  expect(upstreams.map(({ calls }) => calls.length)).toEqual([1, 0]);
  expect(records).toMatchObject([{ status_code: status, attempts: [{ health: 'ignored' }] }]);
});

test('a call that the client has repeated by itself gets one round of attempts', async () => {
  const { chat, upstreams } = await over(fails(500), fails(503));
  await expect(chat({}, { client_retries: 1 })).rejects.toThrow();
  expect(upstreams.map(({ calls }) => calls.length)).toEqual([1, 1]);
});

test('a limit of the provider is passed on with the time after which it ends', async () => {
  const { chat } = await over(fails(429, 'slow down', { 'retry-after': '30' }));
  await expect(chat()).rejects.toMatchObject({ kind: 'rate_limited', code: 'provider_rate_limited', details: { retry_after_ms: 30_000 } });
});

const inStream: [string, object[]][] = [
  [
    'without choices',
    [{ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [], error: { code: 502, message: 'worker full' } }],
  ],
  ['with a finish of its own', [{ ...chunk({ content: '' }, 'error'), error: { code: 502, message: 'worker full' } }]],
  ['after a role chunk', [chunk({ role: 'assistant', content: '' }), { error: { message: 'worker full' } }]],
];
test.each(inStream)('an error event %s before content is invisible where another provider is well', async (_name, events) => {
  const { chat, records } = await over(streams(...events), tells);
  const { text, brokle, frames } = await readAll(await chat({ stream: true }));
  expect({ text, attempts: brokle.attempts }).toEqual({ text: 'Hello', attempts: 2 });
  expect(frames.filter((frame) => frame.kind === 'chunk' && frame.chunk.choices[0]?.delta.role)).toHaveLength(1);
  expect(records).toMatchObject([{ attempts: [{ health: 'failure', status_code: 502 }, { health: 'success' }] }]);
});

test.each(inStream)('an error event %s of the only provider is an HTTP error, because nothing was sent yet', async (_name, events) => {
  const { chat } = await over(streams(...events));
  await expect(chat({ stream: true })).rejects.toEqual(refusesWith(502));
});

const cuts: [string, Script][] = [
  ['a reset', streams(chunk({ role: 'assistant' }), chunk({ content: 'Hel' }), () => new Promise((turn) => setTimeout(turn, 20)), reset)],
  ['an end without a finish', streams(chunk({ content: 'Hel' }))],
  ['an error event', streams(chunk({ content: 'Hel' }), { error: { message: 'worker full' } })],
  ['a malformed event', streams(chunk({ content: 'Hel' }), 'data: {"choices":[{\n\n')],
];
test.each(cuts)('after content, %s becomes an error in the stream, without an end and without a second provider', async (_name, script) => {
  const { chat, upstreams, records } = await over(script, tells);
  const { text, failure, done } = await readAll(await chat({ stream: true }));
  expect({ text, failure, done }).toEqual({ text: 'Hel', failure: 'upstream_stream_interrupted', done: false });
  expect(upstreams[1]?.calls).toEqual([]);
  expect(records).toMatchObject([
    { outcome: 'error', status_code: 502, usage_estimated: true, cost_estimated: true, attempts: [{ health: 'failure' }] },
  ]);
  expect(records[0]?.usage.completion_tokens).toBeGreaterThan(0);
});

test('a stream without usage is priced by an estimate, and says so', async () => {
  const { chat } = await over(streams(chunk({ content: 'Hello' }), chunk({}, 'stop'), DONE));
  const { brokle } = await readAll(await chat({ stream: true }));
  expect(brokle).toMatchObject({ usage_estimated: true, cost_estimated: true });
  expect(brokle.cost).toBeGreaterThan(0);
});

test('usage that comes 300 ms after the finish is still on the finish chunk', async () => {
  const { chat } = await over(
    streams(chunk({ content: 'Hello' }), chunk({}, 'stop'), () => new Promise((turn) => setTimeout(turn, 300)), usageChunk(), DONE),
  );
  const { brokle } = await readAll(await chat({ stream: true }));
  expect(brokle).toMatchObject({ cost: 0.000033 });
  expect(brokle.usage_estimated).toBeUndefined();
});

test('an upstream that never ends after its finish holds the finish back for two seconds at most', async () => {
  const { chat, upstreams } = await over(streams(chunk({ content: 'Hello' }), chunk({}, 'stop'), silence));
  const { text, done, brokle } = await readAll(await chat({ stream: true }));
  expect({ text, done, estimated: brokle.usage_estimated }).toEqual({ text: 'Hello', done: true, estimated: true });
  await upstreams[0]?.calls[0]?.closed;
});

for (const streamed of [false, true]) {
  test(`a caller who leaves before the first token ends the upstream call, and nothing is asked again (stream: ${streamed})`, async () => {
    const { chat, upstreams, records } = await over(silence, answers(completion('late')));
    const caller = leavingCaller();
    const answer = chat({ stream: streamed }, { signal: caller.signal });
    answer.catch(() => {});
    while (upstreams[0]?.calls.length !== 1) await new Promise((turn) => setImmediate(turn));
    caller.leave();
    await expect(answer).rejects.toMatchObject({ code: 'client_closed' });
    await upstreams[0]?.calls[0]?.closed;
    expect(upstreams[1]?.calls).toEqual([]);
    expect(records).toMatchObject([{ outcome: 'client_closed', status_code: 499, cost_estimated: true, usage: { completion_tokens: 0 } }]);
  });
}

test('a provider that refuses the stream options which the gateway added is asked once more without them, and remembered', async () => {
  const refuses: Script = (call, response) =>
    call.body.stream_options ? fails(400, 'extra fields not permitted: stream_options')(call, response) : tells(call, response);
  const { chat, upstreams, records } = await over(refuses);
  expect(await readAll(await chat({ stream: true }))).toMatchObject({ text: 'Hello', done: true });
  expect(await readAll(await chat({ stream: true }))).toMatchObject({ text: 'Hello', done: true });
  expect(upstreams[0]?.calls.map(({ body }) => 'stream_options' in body)).toEqual([true, false, false]);
  expect(records.map(({ attempts }) => attempts.length)).toEqual([1, 1]);
});

test('a caller who asked for usage gets the provider’s refusal of it', async () => {
  const { chat } = await over(fails(400, 'extra fields not permitted: stream_options'));
  await expect(chat({ stream: true, stream_options: { include_usage: true } })).rejects.toMatchObject({ kind: 'bad_request' });
});

test('the latency of a streamed answer is the time to its first content, and that of a whole one the time to its end', async () => {
  let nowMs = 0;
  const clock = { ...systemClock, monotonicMs: () => nowMs };
  const goOn = Promise.withResolvers<void>();
  const upstream = await startUpstream(
    streams(
      chunk({ role: 'assistant', content: '' }),
      chunk({ content: 'Hello' }),
      () => goOn.promise,
      chunk({}, 'stop'),
      usageChunk(),
      DONE,
    ),
    (call, response) => {
      nowMs += 3_000;
      answers(completion('Hello'))(call, response);
    },
  );
  const world = gatewayWorld([{ url: upstream.url }], { clock });
  open.push(world, upstream);
  const seen: number[] = [];
  world.ports.observe = ({ latency_ms }) => void seen.push(latency_ms);
  const answer = await world.chat({ stream: true });
  if (answer.kind !== 'stream') throw new Error('not a stream');
  for await (const _batch of answer.frames) {
    nowMs += 60_000;
    goOn.resolve();
  }
  await world.chat();
  expect(seen).toEqual([0, 3_000]);
});

test('an answer that is nested too deeply to be read is a fault of the provider', async () => {
  const deep = `{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"x","deep":${'['.repeat(200_000)}${']'.repeat(200_000)}}}]}`;
  const { chat } = await over(answers(deep), answers(completion('Hello')));
  expect(await chat()).toMatchObject({ completion: { brokle: { provider: 'openai-2' } } });
});

test('where no provider may be asked, the caller learns why', async () => {
  const { ports, chat, upstreams } = await over(answers(completion('Hello')));
  const plan = ports.plan;
  ports.plan = (...wanted) => ({ ...plan(...wanted), attempts: [], reason: 'no provider may be asked: openai: the provider is disabled' });
  await expect(chat()).rejects.toMatchObject({
    kind: 'unavailable',
    code: 'no_provider_available',
    message: "No provider is available for the model 'm' now: no provider may be asked: openai: the provider is disabled.",
  });
  expect(upstreams[0]?.calls).toEqual([]);
});
