import { expect, test } from '@jest/globals';
import { ChunkRules } from '../../../lib/ai/completion/rules/chunk-rules.ts';
import type { StreamPart } from '../../../lib/ai/providers/adapter.ts';
import { assembled, BROKLE, cutInto, DONE, delta, frame, ROLE, streamed, usageFrame } from './streamed.ts';

const USAGE = { prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 };

test.each([
  ['\n', ''],
  ['\r\n', ''],
  ['\r', ''],
  ['\n', '\uFEFF'],
  ['mixed', ''],
])('one byte at a time with line ends %j behind %j, the text comes through whole', (eol, mark) => {
  const ends = eol === 'mixed' ? ['\r\n', '\n', '\r'] : [eol];
  const event = (data: string, number: number) => `data: ${data}${ends[number % ends.length]}${ends[(number + 1) % ends.length]}`;
  const chunk = (part: string, finish: string) =>
    `{"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":${part},"finish_reason":${finish}}]}`;
  const stream = mark + [chunk('{"role":"assistant","content":"北京 🌧"}', 'null'), chunk('{}', '"stop"'), '[DONE]'].map(event).join('');
  const { chunks, writes, complete } = streamed(cutInto(1, stream));
  expect(complete).toBe(true);
  expect(assembled(chunks)).toEqual({ content: '北京 🌧', calls: [], finish: ['stop'] });
  expect(writes.join('')).not.toContain('\uFFFD');
});

test('a chunk that needs no change goes out in the provider’s own characters', () => {
  const odd =
    'data: { "id":"c1","object":"chat.completion.chunk","created":1,"model":"m","x":1.0,"choices":[{"index":0,"delta":{"content":"\\u0041"},"finish_reason":null}]}\n\n';
  expect(streamed([ROLE, delta({ content: 'a' }), odd]).writes).toEqual([`${ROLE}${delta({ content: 'a' })}`, odd]);
});

test('the opening is held until there is content, and then goes out once', () => {
  const empty = delta({ content: '' });
  const { writes } = streamed([ROLE, empty, ': ping\n\n', delta({ role: 'assistant', content: null }), delta({ content: 'a' })]);
  expect(writes).toEqual([`${ROLE}${delta({ content: 'a' })}`]);
});

test.each<[what: string, part: Record<string, unknown>]>([
  ['text', { content: 'a' }],
  ['reasoning', { reasoning_content: 'a' }],
  ['reasoning by its other name', { reasoning: 'a' }],
  ['a refusal', { refusal: 'a' }],
  ['a tool call', { tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } }] }],
  ['audio', { audio: { id: 'a' } }],
  ['an older function call', { function_call: { name: 'f', arguments: '' } }],
])('%s is content, and gets an opening if the provider sent none', (_what, part) => {
  const { chunks } = streamed([delta(part)]);
  expect(chunks.map(({ choices }) => choices[0]?.delta.role)).toEqual(['assistant', undefined]);
});

test.each<[what: string, read: string]>([
  ['a role', ROLE],
  ['an empty text', delta({ content: '' })],
  ['null', delta({ content: null, tool_calls: null, refusal: null })],
  ['empty lists', delta({ tool_calls: [], reasoning_details: [] })],
  ['no choices', frame({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [], prompt_filter_results: [] })],
  ['no delta', frame({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0 }] })],
  ['a comment', ': keep-alive\n\n'],
])('%s is no content, so that another provider can still answer', (_what, read) => {
  expect(streamed([read]).writes).toEqual([]);
});

test('id, time and model are the same in every chunk', () => {
  const { chunks } = streamed([
    frame({ id: '', object: '', created: 0, model: '', choices: [{ index: 0, delta: { role: 'assistant', content: 'a' } }] }),
    frame({ id: 'c2', object: 'x', created: 9, model: 'n', choices: [{ index: 0, delta: { content: 'b' } }] }),
    frame({ choices: [{ delta: { content: 'c' }, finish_reason: 'stop' }] }),
    DONE,
  ]);
  expect(new Set(chunks.map(({ id, created, model, object }) => `${id} ${created} ${model} ${object}`))).toEqual(
    new Set(['chatcmpl-ours 7 ours chat.completion.chunk']),
  );
  expect(assembled(chunks)).toEqual({ content: 'abc', calls: [], finish: ['stop'] });
});

test.each([
  ['stop', 'stop'],
  ['length', 'length'],
  ['content_filter', 'content_filter'],
  ['eos', 'stop'],
  ['MAX_TOKENS', 'length'],
  ['model_length', 'length'],
  ['end_turn', 'stop'],
  ['who knows', 'stop'],
])('the finish %j becomes %j', (theirs, ours) => {
  expect(assembled(streamed([delta({ content: 'a' }), delta({}, theirs), DONE]).chunks).finish).toEqual([ours]);
});

test.each<[what: string, reads: string[]]>([
  ['twice', [delta({ content: 'a' }), delta({}, 'stop'), delta({}, 'stop'), DONE]],
  ['with the text', [delta({ content: 'a' }, 'stop'), DONE]],
  ['never', [delta({ content: 'a' }), DONE]],
  ['as an empty text first', [delta({ content: 'a' }, ''), delta({}, 'stop'), DONE]],
  ['before the last text', [delta({}, 'stop'), delta({ content: 'a' }), DONE]],
])('a finish that comes %s goes out once, last and with an empty delta', (_what, reads) => {
  const { chunks } = streamed(reads);
  expect(assembled(chunks)).toEqual({ content: 'a', calls: [], finish: ['stop'] });
  expect(chunks.at(-1)).toMatchObject({ choices: [{ delta: {}, finish_reason: 'stop' }], brokle: BROKLE });
});

test('a stream that just ends is not complete, and its text is out', () => {
  expect(streamed([ROLE, delta({ content: 'a' })])).toMatchObject({ complete: false, failure: undefined });
});

test('an answer without any content is complete, with one opening and one finish', () => {
  const { chunks, complete } = streamed([ROLE, delta({}, 'stop'), DONE]);
  expect(complete).toBe(true);
  expect(chunks.map(({ choices }) => choices[0]?.delta)).toEqual([{ role: 'assistant', content: '' }, {}]);
});

test('the last finish waits for usage that comes after it, and carries the cost', () => {
  const { writes, chunks, usage, readyAfter } = streamed([ROLE, delta({ content: 'a' }), delta({}, 'stop'), usageFrame(USAGE), DONE]);
  expect(writes).toHaveLength(2);
  expect(readyAfter).toBe(3);
  expect(usage).toEqual(USAGE);
  expect(chunks.every(({ choices }) => choices.length === 1)).toBe(true);
  expect(chunks.filter(({ brokle }) => brokle !== undefined)).toEqual([chunks.at(-1)]);
  expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop');
});

test('a caller who asked for usage gets it in a chunk of its own, behind the finish', () => {
  const { chunks } = streamed([ROLE, delta({ content: 'a' }), delta({}, 'stop'), usageFrame(USAGE), DONE], { includeUsage: true });
  expect(chunks.at(-1)).toEqual({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [], usage: USAGE });
  expect(chunks.at(-2)).toMatchObject({ usage: null, brokle: BROKLE, choices: [{ finish_reason: 'stop' }] });
});

test('with several choices only the last finish carries the cost', () => {
  const reads = [
    delta({ content: 'a' }, null, 0),
    delta({ content: 'b' }, null, 1),
    delta({}, 'stop', 1),
    delta({}, 'length', 0),
    usageFrame(USAGE),
    DONE,
  ];
  const { chunks, readyAfter } = streamed(reads, { choices: 2 });
  expect(readyAfter).toBe(4);
  expect(assembled(chunks, 0).finish).toEqual(['length']);
  expect(assembled(chunks, 1).finish).toEqual(['stop']);
  expect(chunks.filter(({ brokle }) => brokle).map(({ choices }) => choices[0]?.index)).toEqual([0]);
});

test('the finish of one choice does not wait for the text of another', () => {
  const { writes } = streamed([delta({ content: 'a' }, 'stop', 0), delta({ content: 'b' }, null, 1), delta({}, 'stop', 1), DONE], {
    choices: 2,
  });
  expect(writes).toHaveLength(3);
  expect(writes[1]).toContain('"finish_reason":"stop"');
});

test('a provider that gives one choice where two were asked for is complete at its end', () => {
  const { complete, readyAfter } = streamed([delta({ content: 'a' }), delta({}, 'stop'), usageFrame(USAGE), DONE], { choices: 2 });
  expect({ complete, readyAfter }).toEqual({ complete: true, readyAfter: 3 });
});

test('usage that grows in every chunk is replaced, never added, and never seen inside a chunk', () => {
  const head = { id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm' };
  const growing = (part: unknown, finish: string | null, completion_tokens: number) =>
    frame({ ...head, choices: [{ index: 0, delta: part, finish_reason: finish }], usage: { ...USAGE, completion_tokens } });
  const { chunks, usage, readyAfter } = streamed([
    growing({ content: 'a' }, null, 1),
    growing({ content: 'b' }, null, 2),
    growing({}, 'stop', 12),
    DONE,
  ]);
  expect(usage).toEqual(USAGE);
  expect(readyAfter).toBe(2);
  expect(chunks.every((chunk) => chunk.usage === undefined)).toBe(true);
});

test('without usage the finish waits for the end', () => {
  expect(streamed([delta({ content: 'a' }), delta({}, 'stop'), ': idle\n\n', DONE])).toMatchObject({ readyAfter: 3, usage: undefined });
});

test('Groq’s usage is found in its own member', () => {
  const read = frame({
    id: 'c1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta: {}, finish_reason: 'stop' }],
    x_groq: { usage: USAGE },
  });
  expect(streamed([delta({ content: 'a' }), read]).usage).toEqual(USAGE);
});

const FULL = { code: 502, message: 'worker full' };
test.each<[what: string, reads: string[], text: string]>([
  ['beside no choices', [frame({ id: 'c1', choices: [], error: FULL })], ''],
  ['beside a choice', [frame({ choices: [{ index: 0, delta: { content: '' }, finish_reason: 'error' }], error: FULL })], ''],
  ['alone', [frame({ error: FULL })], ''],
  ['as a named event', ['event: error\ndata: {"message":"worker full","code":502}\n\n'], ''],
  ['after content', [ROLE, delta({ content: 'a' }), delta({ content: 'b' }), frame({ error: FULL }), DONE], 'ab'],
])('an error inside a stream %s is a failure, and never a finish', (_what, reads, text) => {
  const { failure, chunks, complete } = streamed(reads);
  expect(complete).toBe(false);
  expect(failure).toMatchObject({ status: 502, blame: 'provider', message: 'worker full' });
  expect(assembled(chunks)).toEqual({ content: text, calls: [], finish: [] });
});

test('a malformed event is a failure', () => {
  expect(streamed([delta({ content: 'a' }), 'data: {"id":"c1","choi\n\n']).failure).toMatchObject({ status: 502, blame: 'provider' });
  expect(streamed(['data: 42\n\n']).failure).toMatchObject({ status: 502 });
});

test('a rate limit inside a stream counts as one', () => {
  expect(streamed([frame({ error: { code: 429, message: 'slow' } })]).failure).toMatchObject({ status: 429, blame: 'rate_limited' });
});

test('another provider’s continuation keeps the head and brings no second opening', () => {
  const rules = new ChunkRules({ head: { id: 'o', created: 7, model: 'ours' } });
  const chunk = (id: string, part: Record<string, unknown>): StreamPart => ({
    kind: 'chunk',
    chunk: { id, object: 'chat.completion.chunk', created: 1, model: id, choices: [{ index: 0, delta: part, finish_reason: null }] },
  });
  const out = [
    chunk('a', { role: 'assistant', content: '' }),
    chunk('a', { content: 'The ' }),
    chunk('b', { role: 'assistant', content: '' }),
    chunk('b', { content: 'end' }),
  ].flatMap((part) => rules.push(part));
  expect(out.map(({ chunk: { id, choices } }) => [id, choices[0]?.delta])).toEqual([
    ['a', { role: 'assistant', content: '' }],
    ['a', { content: 'The ' }],
    ['a', { content: 'end' }],
  ]);
});

test.each<[what: string, pieces: string[], stops: string[], text: string]>([
  ['in one piece', ['a\nb'], ['\n'], 'a'],
  ['at the beginning', ['\nb'], ['\n'], ''],
  ['cut over pieces', ['a E', 'N', 'D b'], ['END'], 'a '],
  ['nearly', ['a E', 'N', 'X b'], ['END'], 'a ENX b'],
  ['with a false beginning', ['a EE', 'ND b'], ['END'], 'a E'],
  ['the first of two', ['x ab', 'c y'], ['c', 'abc'], 'x '],
  ['never, with an end that could begin it', ['a EN'], ['END'], 'a EN'],
])('our own stop sequence that comes %s cuts the text before it', (_what, pieces, stops, text) => {
  const found = text !== pieces.join('');
  const { chunks, stopped, complete } = streamed(
    [ROLE, ...pieces.map((content) => delta({ content })), ...(found ? [] : [delta({}, 'length'), DONE])],
    { stops },
  );
  expect(assembled(chunks)).toEqual({ content: text, calls: [], finish: [found ? 'stop' : 'length'] });
  expect({ stopped, complete }).toEqual({ stopped: found, complete: true });
});

test('text that was held for a stop sequence is not lost if the stream breaks off', () => {
  expect(assembled(streamed([delta({ content: 'a EN' })], { stops: ['END'] }).chunks).content).toBe('a EN');
});

test('the same stream gives the same chunks, however its bytes are cut into reads', () => {
  const stream = [
    '\uFEFF: hello\r\n\r\n',
    ROLE,
    delta({ content: '北京' }).replaceAll('\n', '\r\n'),
    delta({ content: ' 🌧\u2028' }).replaceAll('\n', '\r'),
    delta({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f' } }] }),
    delta({ tool_calls: [{ index: 0, id: 'b', function: { name: 'f', arguments: { p: 'ü' } } }] }),
    delta({}, 'stop'),
    usageFrame(USAGE),
    DONE,
  ].join('');
  const whole = streamed([stream]).chunks;
  expect(assembled(whole)).toEqual({
    content: '北京 🌧\u2028',
    calls: [
      { id: 'a', type: 'function', name: 'f', arguments: '{}' },
      { id: 'b', type: 'function', name: 'f', arguments: '{"p":"ü"}' },
    ],
    finish: ['tool_calls'],
  });
  for (let size = 1; size <= 40; size++) expect(streamed(cutInto(size, stream)).chunks).toEqual(whole);
});
