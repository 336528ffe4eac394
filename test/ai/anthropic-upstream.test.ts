import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { answerFront } from '../../lib/ai/fronts/front.ts';
import { countTokens } from '../../lib/ai/fronts/messages/count-tokens.ts';
import { messagesFront } from '../../lib/ai/fronts/messages/messages-front.ts';
import type { UsableProvider } from '../../lib/ai/routing/project-settings.ts';
import { createSseParser } from '../../lib/platform/sse/sse-parser.ts';
import { answerJson, answerSse, recordedError } from './anthropic-fixtures.ts';
import { type GatewayWorld, gatewayWorld, readAll } from './gateway-world.ts';
import { incoming } from './messages-server.ts';
import { answers, type Script, type ScriptedUpstream, startUpstream, streamsTexts } from './scripted-upstream.ts';

/** The pipeline over a real server that replays Anthropic's recorded answers. */
let upstream: ScriptedUpstream;
let other: ScriptedUpstream;
const worlds: GatewayWorld[] = [];
beforeAll(async () => {
  upstream = await startUpstream();
  other = await startUpstream();
});
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});
afterAll(async () => {
  await upstream.close();
  await other.close();
});

const replays: (name: string) => Script = (name) => (call, response) => {
  if (call.body.stream === true) response.writeHead(200, { 'content-type': 'text/event-stream' }).end(answerSse(name));
  else answers(answerJson(name))(call, response);
};
const refuses = (name: string): Script => {
  const { status, headers, body } = recordedError(name);
  return answers(body, status, headers);
};
const PRICES = { input: 3, output: 15, cache_write_5m: 3.75, cache_write_1h: 6 };
const anthropic: Partial<UsableProvider> = { type: 'anthropic' };

function world(...scripts: Script[]): GatewayWorld {
  upstream.calls.length = 0;
  other.calls.length = 0;
  upstream.script(...scripts);
  const made = gatewayWorld([
    { url: upstream.url, id: 'anthropic', model: { id: 'claude-sonnet-4-5', prices: PRICES }, more: anthropic },
    { url: other.url, id: 'openai' },
  ]);
  worlds.push(made);
  return made;
}

const sent = (body: Record<string, unknown>) => {
  const value = { model: 'claude', max_tokens: 10, messages: [{ role: 'user', content: 'hi' }], ...body };
  return { value, text: JSON.stringify(value) };
};

const eventsIn = (text: string | Uint8Array) =>
  createSseParser()
    .push(Buffer.from(text))
    .map(({ event, data }): { event: string; data: Record<string, unknown> } => ({ event, data: JSON.parse(data) }));

async function messages({ ports }: GatewayWorld, body: Record<string, unknown>, forwarded?: Record<string, string>) {
  const { text, stream, onEnd, headers } = await answerFront(
    messagesFront,
    ports,
    sent(body),
    incoming({ operation: 'messages', ...(forwarded && { forwarded }) }),
  );
  if (!stream) return { text: text ?? '', headers };
  let whole = '';
  for await (const bytes of stream) whole += Buffer.from(bytes).toString('utf8');
  await onEnd?.({ outcome: 'complete', bytes: whole.length });
  return { text: whole, headers };
}

test('a chat over Anthropic has the exact cost of its cache writes, streamed or not', async () => {
  const { chat, records } = world(replays('cache-write-1h'));
  const answer = await chat();
  if (answer.kind !== 'completion') throw new Error('streamed');
  // 10 × 3 + 400 × 3.75 + 600 × 6 + 3 × 15 millionths
  expect(answer.completion.brokle.cost).toBe(0.005175);
  expect(answer.completion.usage).toMatchObject({ prompt_tokens: 1_010, completion_tokens: 3 });
  const { brokle, text, done } = await readAll(await chat({ stream: true }));
  expect({ cost: brokle.cost, text, done }).toEqual({ cost: 0.005175, text: 'Noted.', done: true });
  expect(records.map(({ cost_pico_usd }) => cost_pico_usd)).toEqual(['5175000000', '5175000000']);
});

test('an error before the content is not seen by the client where another provider answers', async () => {
  other.script(streamsTexts('from', ' the other'));
  const { chat } = world((_call, response) =>
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(answerSse('error-before-content')),
  );
  const { text, brokle, failure } = await readAll(await chat({ stream: true }));
  expect({ text, failure, attempts: brokle.attempts }).toEqual({
    text: 'from the other',
    failure: undefined,
    attempts: expect.any(Number),
  });
});

test.each(['error-in-mid-stream', 'cut'])('the stream %s is told as an interrupted stream after its content', async (name) => {
  const events = answerSse(name)
    .toString('utf8')
    .split(/(?<=\n\n)/);
  const rest = Promise.withResolvers<void>();
  const { chat } = world(async (_call, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(events.slice(0, 3).join(''));
    await rest.promise;
    response.end(events.slice(3).join(''));
  });
  // The content has been given out when the stream is there.
  const answer = await chat({ stream: true });
  rest.resolve();
  const { text, failure, done } = await readAll(answer);
  expect({ text, failure, done }).toEqual({ text: 'Half an', failure: 'upstream_stream_interrupted', done: false });
});

test('an exhausted account fails over at once', async () => {
  other.script(
    answers({
      id: 'c',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }],
    }),
  );
  const { chat } = world(refuses('credit'));
  const answer = await chat();
  expect(answer.kind === 'completion' && answer.completion.brokle).toMatchObject({ attempts: 2 });
  expect(upstream.calls).toHaveLength(1);
});

test('/v1/messages over Anthropic sends the caller’s bytes and headers, answers Anthropic’s, and is metered', async () => {
  const made = world(replays('thinking-tool'));
  const beta = { 'anthropic-beta': 'context-1m-2025-08-07', 'anthropic-version': '2026-10-21' };
  const system = [{ type: 'text', text: 's', cache_control: { type: 'ephemeral', ttl: '1h' } }];
  const { text } = await messages(made, { system, some_new_member: 1 }, beta);
  const [call] = upstream.calls;
  expect(call?.body).toMatchObject({ model: 'claude-sonnet-4-5', system, some_new_member: 1 });
  expect(call?.headers).toMatchObject(beta);
  const { brokle, ...answer } = JSON.parse(text);
  expect(answer).toEqual(answerJson('thinking-tool'));
  expect(brokle).toMatchObject({ provider: 'anthropic', cost: (210 * 3 + 154 * 15) / 1e6 });

  const streamed = eventsIn((await messages(made, { stream: true })).text);
  expect(streamed.map(({ event, data: { brokle: _brokle, ...data } }) => ({ event, data }))).toEqual(eventsIn(answerSse('thinking-tool')));
  expect(streamed.at(-2)?.data.brokle).toMatchObject({ provider: 'anthropic', cost: (210 * 3 + 154 * 15) / 1e6 });
  expect(made.records.map(({ operation, outcome, provider }) => ({ operation, outcome, provider }))).toEqual(
    [1, 2].map(() => ({ operation: 'messages', outcome: 'success', provider: 'anthropic' })),
  );
});

test('/v1/messages over an OpenAI upstream has usage above 0 at once and the right one at the end', async () => {
  other.script(streamsTexts('Hel', 'lo'));
  const made = world(refuses('overloaded'));
  const { text } = await messages(made, { stream: true });
  expect(text).toMatch(/message_start.*"input_tokens":[1-9]/);
  expect(text).toMatch(/message_delta.*"input_tokens":9,.*"output_tokens":12/);
  expect(text.endsWith('event: message_stop\ndata: {"type":"message_stop"}\n\n')).toBe(true);
});

test('tokens are counted by Anthropic where the model is there, without a record', async () => {
  const made = world(answers({ input_tokens: 2_095 }));
  expect(await countTokens(made.ports, sent({ system: 's' }), incoming({ forwarded: { 'anthropic-beta': 'token-counting' } }))).toBe(2_095);
  expect(upstream.calls[0]).toMatchObject({ path: '/v1/messages/count_tokens', body: { model: 'claude-sonnet-4-5', system: 's' } });
  expect(upstream.calls[0]?.headers['anthropic-beta']).toBe('token-counting');
  expect(made.records).toEqual([]);
});

test.each<[string, Script]>([
  ['is overloaded', refuses('overloaded')],
  ['has no such endpoint', answers('<html>', 404)],
  ['answers nonsense', answers({ input_tokens: -4 })],
])('tokens are estimated where Anthropic %s', async (_, script) => {
  expect(await countTokens(world(script).ports, sent({}), incoming())).toBeGreaterThan(0);
});

test('a refusal of the request to count is passed on', async () => {
  await expect(countTokens(world(refuses('invalid')).ports, sent({}), incoming())).rejects.toMatchObject({ kind: 'bad_request' });
});
