import { expect, test } from '@jest/globals';
import { openaiStream } from '../../../../lib/ai/providers/openai/openai-stream.ts';

const chunk = (content: string, members = '') =>
  `{"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":${content}},"logprobs":null,"finish_reason":null}],"usage":null${members}}`;

/** Texts as JSON strings, and some that are hard to tell from the text around them. */
const CONTENTS = [
  '"a"',
  '" word"',
  '"\\""',
  '"\\\\"',
  '"x\\n"',
  '"\\u0041"',
  '"北京"',
  '""',
  'null',
  '"},"',
  '"a\\"},\\"logprobs\\":null"',
  '"b"',
];

test.each<[what: string, texts: string[]]>([
  ['as OpenAI’s without obfuscation', CONTENTS.map((content) => chunk(content))],
  ['as OpenAI’s with obfuscation', CONTENTS.map((content, index) => chunk(content, `,"obfuscation":"x${'y'.repeat(index)}"`))],
  ['with spaces', CONTENTS.map((content) => chunk(content).replaceAll('":', '": ').replaceAll(',"', ', "'))],
  ['with other members now and then', CONTENTS.map((content, index) => chunk(content, index % 2 === 0 ? ',"x":1' : `,"x":"${index}"`))],
  ['with a content in another place', CONTENTS.map((content, index) => chunk(content, `,"y":{"content":"q${index}"}`))],
  ['with a content before', CONTENTS.map((content, index) => `{"y":{"content":"q${index}"},${chunk(content).slice(1)}`)],
  ['with obfuscation that has quotes', CONTENTS.map((content, index) => chunk(content, `,"obfuscation":"${'\\"'.repeat(index)}"`))],
])('chunks %s are read as JSON reads them', (_what, texts) => {
  const decoder = openaiStream();
  // Twice, so that each chunk is read behind every kind of chunk.
  for (const data of [...texts, ...texts, ...texts.toReversed()]) {
    const { obfuscation: _hiding, ...expected } = JSON.parse(data);
    const [part, ...others] = decoder.decode({ event: 'message', data });
    expect(others).toEqual([]);
    expect(part).toMatchObject({ kind: 'chunk', chunk: expected, text: data });
  }
});

test('another choice, a finish or broken JSON is never taken for a piece of text', () => {
  const decoder = openaiStream();
  decoder.decode({ event: 'message', data: chunk('"a"') });
  const read = (data: string) => decoder.decode({ event: 'message', data })[0];
  expect(read(chunk('"b"').replace('"index":0', '"index":1'))).toMatchObject({ chunk: { choices: [{ index: 1 }] } });
  expect(read(chunk('"b"').replace('"finish_reason":null', '"finish_reason":"stop"'))).toMatchObject({
    chunk: { choices: [{ finish_reason: 'stop' }] },
  });
  expect(read(chunk('"b').slice(0, -3))).toMatchObject({ kind: 'failure' });
  expect(read(`${chunk('"b"')}}`)).toMatchObject({ kind: 'failure' });
  expect(read('')).toBeUndefined();
  expect(read(' [DONE]')).toEqual({ kind: 'done' });
});

test.each([
  [{ reasoning: 'hm' }, { reasoning: 'hm', reasoning_content: 'hm' }],
  [
    { reasoning: 'hm', reasoning_content: 'so' },
    { reasoning: 'hm', reasoning_content: 'so' },
  ],
  [
    { reasoning: null, content: 'a' },
    { reasoning: null, content: 'a' },
  ],
  [
    {
      content: [
        { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
        { type: 'text', text: 'a' },
      ],
    },
    { reasoning_content: 'hm', content: 'a' },
  ],
  [{ content: [{ type: 'text', text: 'a' }] }, { content: 'a' }],
])('the reasoning in %j is found in its one place', (delta, mended) => {
  const data = JSON.stringify({ id: 'c1', choices: [{ index: 0, delta, finish_reason: null }] });
  expect(openaiStream().decode({ event: 'message', data })[0]).toMatchObject({ kind: 'chunk', chunk: { choices: [{ delta: mended }] } });
});

test('a whole message in place of a delta is read as the delta', () => {
  const data = '{"id":"c1","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}]}';
  const [part] = openaiStream().decode({ event: 'message', data });
  expect(part).toMatchObject({
    kind: 'chunk',
    chunk: { choices: [{ delta: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }] },
  });
  expect(part).not.toHaveProperty('text');
});
