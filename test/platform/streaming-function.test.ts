import { Writable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { AppError } from '../../lib/platform/errors.ts';
import { endpointFor, type Reply, reply } from '../../lib/platform/http/endpoint.ts';
import type { AnswerEnd, HttpEvent } from '../../lib/platform/http/http-event.ts';
import type { RequestFacts } from '../../lib/platform/http/request-facts.ts';
import { type LambdaStreaming, type StreamingHandler, streamingFunction } from '../../lib/platform/http/streaming-function.ts';
import { createLog } from '../../lib/platform/log.ts';
import { testSurface } from './test-surface.ts';

/** What a function URL sends: the head of its answer, which Lambda's runtime puts before the first write, and each write. */
interface Sent {
  head: { statusCode: number; headers: Record<string, string> } | undefined;
  pieces: string[];
}

/** A runtime that does what Lambda's own does with an answer. */
function lambdaRuntime(): { lambda: LambdaStreaming; newAnswer(): { out: Writable; sent: Sent } } {
  const sents = new WeakMap<Writable, { head: Sent['head']; sent: Sent }>();
  return {
    lambda: {
      streamifyResponse: (handler) => handler,
      HttpResponseStream: {
        from(out, head) {
          const known = sents.get(out);
          if (known) known.head = head;
          return out;
        },
      },
    },
    newAnswer() {
      const sent: Sent = { head: undefined, pieces: [] };
      const out = new Writable({
        write(chunk, _encoding, done) {
          sent.head ??= sents.get(out)?.head;
          sent.pieces.push(String(chunk));
          done();
        },
      });
      sents.set(out, { head: undefined, sent });
      return { out, sent };
    },
  };
}

const event = {
  rawPath: '/ask',
  rawQueryString: '',
  routeKey: '$default',
  headers: {},
  requestContext: { http: { method: 'GET' } },
} as HttpEvent;

async function call(handle: (request: RequestFacts) => Promise<Reply>, remainingMs = 60_000, given = event) {
  const lines: Record<string, unknown>[] = [];
  const ends: AnswerEnd[] = [];
  const surface = testSurface({ base: () => ({ log: createLog({ write: (line) => lines.push(JSON.parse(line)) }) }) });
  const endpoint = endpointFor(surface)({
    id: 'ask',
    method: 'GET',
    path: '/ask',
    summary: '',
    access: 'public',
    status: 200,
    handle: async ({ request }) => {
      const answer = await handle(request);
      return reply({ ...answer, onEnd: async (end) => void ends.push(end) });
    },
  });
  const { lambda, newAnswer } = lambdaRuntime();
  const { out, sent } = newAnswer();
  const handler = streamingFunction([endpoint], surface, lambda) as StreamingHandler;
  await handler(given, out, { getRemainingTimeInMillis: () => remainingMs });
  return { sent, ends, lines: lines.filter(({ event }) => event === 'http_request'), done: out.writableFinished };
}

test('a function that streams sends its head first, then each piece, and settles before it returns', async () => {
  async function* stream() {
    yield Buffer.from('one');
    yield Buffer.from('two');
  }
  const { sent, ends, lines, done } = await call(async () => reply({ headers: { 'content-type': 'text/event-stream' }, stream: stream() }));
  expect(sent).toMatchObject({ head: { statusCode: 200, headers: { 'content-type': 'text/event-stream' } }, pieces: ['one', 'two'] });
  expect([ends, done]).toEqual([[{ outcome: 'complete', bytes: 6 }], true]);
  expect(lines).toEqual([expect.objectContaining({ status: 200, bytes: 6, outcome: 'complete' })]);
});

test('a function that streams sends the head of answers that are whole or have no body', async () => {
  const whole = await call(async () => reply({ text: 'whole', headers: { 'content-type': 'text/plain' } }));
  expect(whole.sent).toMatchObject({ head: { statusCode: 200 }, pieces: ['whole'] });
  const empty = await call(async () => reply({ status: 204 }));
  expect(empty.sent).toMatchObject({ head: { statusCode: 204 }, pieces: [''] });
  const unknown = await call(async () => reply({}), 60_000, { ...event, rawPath: '/nowhere' });
  expect(unknown.sent).toMatchObject({ head: { statusCode: 404 }, pieces: ['not found'] });
  const failed = await call(async () => {
    throw new AppError('unavailable', 'later', { retryAfterSeconds: 7 });
  });
  expect(failed.sent).toMatchObject({ head: { statusCode: 503, headers: { 'retry-after': '7' } } });
});

test('a stream whose function has little time left is told, and its last words are sent', async () => {
  const { sent, ends } = await call(async ({ signal }) => {
    async function* stream() {
      yield Buffer.from('begun ');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      yield Buffer.from(String((signal.reason as { why: string }).why));
    }
    return reply({ stream: stream() });
  }, 2_050);
  expect(sent.pieces).toEqual(['begun ', 'time_over']);
  expect(ends).toEqual([{ outcome: 'complete', bytes: 15 }]);
});

test('a request that is not answered in its function’s time gets a logged 503', async () => {
  const { sent, lines } = await call(() => new Promise<never>(() => {}), 2_000);
  expect(sent.head).toMatchObject({ statusCode: 503, headers: { 'retry-after': '2' } });
  expect(lines).toEqual([expect.objectContaining({ status: 503 })]);
});

test('where Lambda’s runtime is not there, the same function answers whole', async () => {
  const surface = testSurface();
  const handler = streamingFunction([], surface, undefined) as (event: HttpEvent) => Promise<{ statusCode: number }>;
  expect(await handler(event)).toMatchObject({ statusCode: 404 });
});
