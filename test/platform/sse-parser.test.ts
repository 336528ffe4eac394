import { expect, test } from '@jest/globals';
import { createSseParser, type SseEvent, SseTooLarge } from '../../lib/platform/sse/sse-parser.ts';

/** The events of this stream, if it comes in reads of the given sizes (the last size again and again). */
function eventsOf(stream: string | Uint8Array, ...sizes: number[]): SseEvent[] {
  const bytes = typeof stream === 'string' ? Buffer.from(stream) : stream;
  const parser = createSseParser();
  const events: SseEvent[] = [];
  for (let at = 0, read = 0; at < bytes.length; read++) {
    const size = sizes[Math.min(read, sizes.length - 1)] ?? bytes.length;
    // The same buffer for each read, as some senders have it.
    events.push(...parser.push(Uint8Array.from(bytes.subarray(at, at + size))));
    at += size;
  }
  return [...events, ...parser.end()];
}
const message = (data: string): SseEvent => ({ event: 'message', data });

test.each<[what: string, stream: string, events: SseEvent[]]>([
  ['LF', 'data: a\n\ndata: b\n\n', [message('a'), message('b')]],
  ['CRLF', 'data: a\r\n\r\ndata: b\r\n\r\n', [message('a'), message('b')]],
  ['lone CR', 'data: a\r\rdata: b\r\r', [message('a'), message('b')]],
  ['mixed line ends', 'data: a\r\n\ndata: b\r\r\ndata: c\n\r\n', [message('a'), message('b'), message('c')]],
  ['a byte order mark', '\uFEFFdata: a\n\n', [message('a')]],
  ['a byte order mark further on, which is text', 'data: \uFEFFa\n\n\uFEFFdata: b\n\n', [message('\uFEFFa')]],
  ['data without a space', 'data:a\n\ndata:  b\n\n', [message('a'), message(' b')]],
  ['data in several lines', 'data: {\ndata: }\n\n', [message('{\n}')]],
  ['empty data', 'data\n\ndata:\n\n', [message(''), message('')]],
  ['an event without data', 'event: ping\n\nid: 7\n\ndata: a\n\n', [message('a')]],
  ['a comment', ': hello\n\n:data: no\ndata: a\n: between\n\n', [message('a')]],
  ['a named event', 'event: error\ndata: a\n\ndata: b\n\n', [{ event: 'error', data: 'a' }, message('b')]],
  ['fields nobody knows', 'retry: 10\nid: 1\nfoo: bar\nDATA: x\ndata: a\n\n', [message('a')]],
  ['Unicode line ends, which are text', 'data: a\u2028b\u2029c\u0085d\u000be\n\n', [message('a\u2028b\u2029c\u0085d\u000be')]],
  ['an end without its blank line', 'data: a\n\ndata: b\n', [message('a'), message('b')]],
  ['an end in the middle of a line', 'data: a\n\ndata: b', [message('a'), message('b')]],
  ['nothing', '', []],
])('a stream with %s gives the same events however it is cut into reads', (_what, stream, events) => {
  const length = Buffer.byteLength(stream);
  expect(eventsOf(stream)).toEqual(events);
  for (let size = 1; size <= length; size++) expect(eventsOf(stream, size)).toEqual(events);
  for (let first = 1; first < length; first++) expect(eventsOf(stream, first, length)).toEqual(events);
});

test.each([
  ['\n', ''],
  ['\r\n', ''],
  ['\r', ''],
  ['\n', '\uFEFF'],
  ['\r\n', '\uFEFF'],
])('characters that are cut between two reads stay whole with line end %j behind %j', (eol, mark) => {
  const stream = `${mark}data: {"content":"北京 🌧"}${eol}${eol}data: [DONE]${eol}${eol}`;
  for (const size of [1, 2, 3, 5, 7]) {
    expect(eventsOf(stream, size)).toEqual([message('{"content":"北京 🌧"}'), message('[DONE]')]);
  }
});

test('an event is given as soon as its blank line is here, also if that is a CR', () => {
  const parser = createSseParser();
  expect(parser.push(Buffer.from('data: a\r\n\r'))).toEqual([message('a')]);
  expect(parser.push(Buffer.from('\ndata: b\r\r'))).toEqual([message('b')]);
});

test('a reused buffer does not change what an earlier read left', () => {
  const parser = createSseParser();
  const buffer = Buffer.from('data: ab');
  parser.push(buffer);
  buffer.fill(120);
  expect(parser.push(Buffer.from('c\n\n'))).toEqual([message('abc')]);
});

test.each([
  ['one endless line', () => Buffer.from('data: aaaaaaaaaa')],
  ['endless lines', () => Buffer.from('data: aaaaaaaaaa\n')],
])('%s is refused at the limit', (_what, read) => {
  const parser = createSseParser({ limitBytes: 1_000 });
  expect(() => {
    for (let count = 0; count < 1_000; count++) parser.push(read());
  }).toThrow(SseTooLarge);
});

test('the cost of an event does not grow with the square of its reads', () => {
  const parser = createSseParser();
  const read = Buffer.from('abcd');
  const started = performance.now();
  parser.push(Buffer.from('data: '));
  for (let count = 0; count < 100_000; count++) parser.push(read);
  expect(parser.push(Buffer.from('\n\n'))[0]?.data).toHaveLength(400_000);
  expect(performance.now() - started).toBeLessThan(5_000);
});
