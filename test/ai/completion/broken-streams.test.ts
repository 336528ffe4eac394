import { afterEach, expect, test } from '@jest/globals';
import { gatewayWorld, readAll } from '../gateway-world.ts';
import { chunk, DONE, type Script, startUpstream, streams, streamsTexts, usageChunk } from '../scripted-upstream.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
async function over(...scripts: Script[]) {
  const upstreams = await Promise.all(scripts.map((script) => startUpstream(script)));
  const world = gatewayWorld(upstreams.map(({ url }) => ({ url, more: { max_retries: 0 } })));
  open.push(world, ...upstreams);
  return world;
}
const huge = `data: ${'x'.repeat(9 * 1024 * 1024)}`;
const text = (content: string) => `data: ${JSON.stringify(chunk({ content }))}`;

test.each<[what: string, pieces: (string | object)[]]>([
  ['an event without end', [huge]],
  ['a malformed event', ['data: {"id":\n\n']],
  ['HTML', ['<html>\n\n<body>busy</body>\n\n']],
  ['nothing', []],
  ['comments alone', [': a\n\n', ': b\n\n']],
  ['an opening alone', [chunk({ role: 'assistant', content: '' })]],
  ['no choices', [{ ...chunk({}), choices: [] }, DONE]],
  ['an error', [{ error: { message: 'worker full' } }]],
])(
  'a stream of %s before any content is answered by the next provider',
  async (_what, pieces) => {
    const { chat, records } = await over(streams(...pieces), streamsTexts('Hello'));
    const read = await readAll(await chat({ stream: true }));
    expect(read).toMatchObject({ text: 'Hello', done: true, brokle: { attempts: 2, cost: 0.000033 } });
    expect(records[0]?.attempts.map(({ status_code }) => status_code)).toEqual([502, 200]);
  },
  20_000,
);

test.each<[what: string, pieces: (string | object)[]]>([
  ['an event without end', [huge]],
  ['a malformed event', ['data: {"id":\n\n']],
  ['an error', [{ error: { message: 'worker full' } }, DONE]],
  ['the end', []],
])(
  'a stream that breaks off with %s after content ends with an error and nothing else',
  async (_what, pieces) => {
    const { chat, records } = await over(streams(chunk({ content: 'Hel' }), ...pieces), streamsTexts('Hello'));
    expect(await readAll(await chat({ stream: true }))).toMatchObject({ text: 'Hel', failure: 'upstream_stream_interrupted', done: false });
    expect(records).toMatchObject([{ outcome: 'error', attempts: [{ status_code: 502 }] }]);
  },
  20_000,
);

test.each(['\n\n', '\r\n\r\n', '\r\r', '\n\r\n'])('a stream whose lines end with %j arrives whole, also byte by byte', async (end) => {
  const bytes = Buffer.from(
    [
      '\uFEFF',
      text('北京'),
      end,
      text(' 🌧\u2028'),
      end,
      `data: ${JSON.stringify(chunk({}, 'stop'))}`,
      end,
      `data: ${JSON.stringify(usageChunk())}`,
      end,
      'data: [DONE]',
      end,
    ].join(''),
  );
  const bytewise: Script = async (_call, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const byte of bytes) response.write(Buffer.of(byte));
    response.end();
  };
  const { chat } = await over(bytewise);
  expect(await readAll(await chat({ stream: true }))).toMatchObject({ text: '北京 🌧\u2028', done: true, brokle: { cost: 0.000033 } });
});
