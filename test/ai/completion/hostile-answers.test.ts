import { afterEach, expect, test } from '@jest/globals';
import { gatewayWorld, readAll } from '../gateway-world.ts';
import { answers, chunk, completion, DONE, type Script, startUpstream, streams, streamsTexts } from '../scripted-upstream.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
async function over(more: Record<string, unknown>, ...scripts: Script[]) {
  const upstreams = await Promise.all(scripts.map((script) => startUpstream(script)));
  const world = gatewayWorld(upstreams.map(({ url }) => ({ url, more: { max_retries: 0, ...more } })));
  open.push(world, ...upstreams);
  return world;
}
const deep = '['.repeat(100_000) + ']'.repeat(100_000);
const raw = (value: object, name: string) => JSON.stringify(value).replace(`"${name}"`, deep);

test.each<[what: string, more: Record<string, unknown>, answer: string]>([
  ['a whole answer', {}, raw(completion('x', { extra: 'HERE' }), 'HERE')],
  [
    'arguments of Anthropic’s tool',
    { type: 'anthropic' },
    raw({ type: 'message', content: [{ type: 'tool_use', id: 'a', name: 'f', input: 'HERE' }], stop_reason: 'tool_use' }, 'HERE'),
  ],
  [
    'arguments of Google’s call',
    { type: 'google' },
    raw({ candidates: [{ content: { parts: [{ functionCall: { name: 'f', args: { a: 'HERE', b: '1.0' } } }] } }] }, 'HERE'),
  ],
])('a provider that nests %s without end has failed, and the next one answers', async (_what, more, answer) => {
  const { chat, records } = await over(more, answers(answer), answers(completion('ok')));
  if (more.type === undefined) {
    expect(await chat()).toMatchObject({ completion: { choices: [{ message: { content: 'ok' } }] } });
  } else await expect(chat()).rejects.toMatchObject({ kind: 'upstream_failed' });
  expect(records[0]?.attempts[0]?.status_code).toBe(502);
});

test('an event that is nested without end fails the stream before content, and ends it with an error afterwards', async () => {
  const event = `data: ${raw(chunk({ content: 'HERE' }), 'HERE')}\n\n`;
  const mended = await over({}, streams(event), streamsTexts('Hello'));
  expect(await readAll(await mended.chat({ stream: true }))).toMatchObject({ text: 'Hello', done: true });
  const broken = await over({}, streams(chunk({ content: 'Hel' }), event));
  expect(await readAll(await broken.chat({ stream: true }))).toMatchObject({ text: 'Hel', failure: 'upstream_stream_interrupted' });
});

const odd: unknown[] = [null, 5, 1e308, true, [], [1], {}, { length: 1e308 }, { toString: 1 }, { name: 1e308, arguments: 7 }];

test.each(['content', 'refusal', 'reasoning_content', 'reasoning_details', 'tool_calls', 'role', 'function_call'])(
  'odd values of %s in pieces and answers neither fail nor stop a call',
  async (name) => {
    const pieces = odd.flatMap((value) => [
      chunk({ [name]: value }),
      chunk({ tool_calls: [{ index: value, id: value, function: value }] }),
    ]);
    const stream = await over({}, streams(...pieces, chunk({ content: 'Hello' }), chunk({}, 'stop'), DONE));
    expect(await readAll(await stream.chat({ stream: true }))).toMatchObject({ done: true, text: expect.stringContaining('Hello') });
    for (const value of odd) {
      const choices = [{ index: 0, message: { role: 'assistant', content: 'x', [name]: value }, finish_reason: 'stop' }];
      const { chat } = await over({}, answers(completion('', { choices })));
      expect((await chat()).kind).toBe('completion');
    }
  },
  20_000,
);

test.each(['choices', 'delta', 'index', 'finish_reason', 'logprobs', 'usage'])('odd values of %s of a chunk stop nothing', async (name) => {
  const within = name === 'choices' || name === 'usage';
  const pieces = odd.map((value) =>
    within ? { ...chunk({}), [name]: value } : { ...chunk({}), choices: [{ index: 0, delta: {}, [name]: value }] },
  );
  const { chat } = await over(
    {},
    streams(...pieces, { ...chunk({}), choices: [null, 4] }, chunk({ content: 'Hello' }), chunk({}, 'stop'), DONE),
  );
  expect(await readAll(await chat({ stream: true }))).toMatchObject({ text: 'Hello', done: true });
});

test.each(['openai-compatible', 'anthropic', 'google'])(
  'a key that %s repeats in an error reaches neither caller nor records',
  async (type) => {
    // No shape tells that this is a key.
    const api_key = 'plain.words-that+nobody/knows';
    const error = { message: `Wrong: ${api_key}.`, code: api_key, type: api_key, param: api_key, status: api_key };
    for (const status of [400, 401, 404, 429, 500]) {
      const { chat, records } = await over({ type, api_key }, answers({ type: 'error', error }, status));
      for (const stream of [false, true]) {
        const refusal = await chat({ stream }).catch((thrown: Error) => thrown);
        expect(JSON.stringify({ ...refusal, message: Object(refusal).message, records })).not.toContain('nobody');
      }
    }
    const { chat } = await over({ type: 'openai-compatible', api_key }, streams(chunk({ content: 'Hel' }), { error }));
    expect(JSON.stringify(await readAll(await chat({ stream: true })))).not.toContain('nobody');
  },
);
