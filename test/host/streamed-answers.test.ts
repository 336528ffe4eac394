import { type IncomingMessage, request } from 'node:http';
import { afterEach, expect, test } from '@jest/globals';
import * as z from 'zod';
import { createHttpServer, type HttpServer, type HttpServerOptions } from '../../infra/host/http/http-server.ts';
import { type Context, endpointFor, type Reply, reply } from '../../lib/platform/http/endpoint.ts';
import type { AnswerEnd } from '../../lib/platform/http/http-event.ts';
import { httpFunction } from '../../lib/platform/http/http-function.ts';
import type { Answered } from '../../lib/platform/http/surface.ts';
import { createLog } from '../../lib/platform/log.ts';
import { testSurface } from '../platform/test-surface.ts';
import { rawConnection } from './raw-http.ts';

type Handle = (context: Context<unknown, unknown>) => Promise<Reply>;

const running: HttpServer[] = [];
afterEach(() => Promise.all(running.splice(0).map((server) => server.close())));

/** A server whose one endpoint, `POST /ask`, does this. */
async function serverOf(handle: Handle, options: Partial<HttpServerOptions> & { longRunning?: boolean } = {}) {
  const lines: Record<string, unknown>[] = [];
  const answers: Answered[] = [];
  const ends: AnswerEnd[] = [];
  const log = createLog({ write: (line) => lines.push(JSON.parse(line)) });
  const surface = testSurface({ base: () => ({ log, observe: (answer) => answers.push(answer) }) });
  const endpoints = [
    endpointFor(surface)({
      id: 'ask',
      method: 'POST',
      path: '/ask',
      summary: '',
      access: 'public',
      body: z.unknown(),
      bodyFormat: { accepts: [], decode: ({ bytes }) => bytes.toString() },
      status: 200,
      ...(options.longRunning === true && { longRunning: true }),
      response: z.unknown(),
      handle: async (context) => {
        const answer = await handle(context);
        const { onEnd } = answer;
        return reply({
          ...answer,
          onEnd: async (end) => {
            await onEnd?.(end);
            ends.push(end);
          },
        });
      },
    }),
  ];
  const handler = httpFunction(endpoints, surface);
  const group = { name: 'ask', file: '', endpoints, handler };
  const server = createHttpServer({ groups: [group], fallback: handler, log, trustedProxies: 0, ...options });
  running.push(server);
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  const requestLines = () => lines.filter(({ event }) => event === 'http_request');
  return { url, server, lines, requestLines, answers, ends };
}

const bytesOf = (text: string) => Buffer.from(text);
const settled = async (done: () => boolean) => {
  while (!done()) await new Promise(setImmediate);
};
const ask = (url: string) =>
  new Promise<IncomingMessage>((resolve, reject) => {
    request(`${url}/ask`, { method: 'POST', agent: false }, resolve).on('error', reject).end('{}');
  });
const RAW = 'POST /ask HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}';

test('each piece of a streamed answer reaches the caller before the next one is made', async () => {
  const next = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  async function* stream() {
    yield bytesOf('one');
    await next[0]?.promise;
    yield bytesOf('two');
    await next[1]?.promise;
  }
  const { url } = await serverOf(async () => reply({ headers: { 'content-type': 'text/event-stream' }, stream: stream() }));
  const answer = await ask(url);
  expect(answer.headers['content-type']).toBe('text/event-stream');
  const received: string[] = [];
  for await (const piece of answer) {
    received.push(String(piece));
    next[received.length - 1]?.resolve();
  }
  expect(received).toEqual(['one', 'two']);
});

test('a caller that reads slowly slows the stream down, and loses nothing of it', async () => {
  const [pieces, size] = [400, 64 * 1024];
  let made = 0;
  async function* stream() {
    for (; made < pieces; made++) yield Buffer.alloc(size, made % 256);
  }
  const { url } = await serverOf(async () => reply({ stream: stream() }));
  const answer = await ask(url);
  answer.pause();
  let before = -1;
  while (before !== made) {
    before = made;
    for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate);
  }
  expect(made).toBeLessThan(pieces / 2);
  let received = 0;
  for await (const piece of answer) received += piece.length;
  expect(received).toBe(pieces * size);
});

test('a streamed answer is logged and counted once, at its end, with its bytes and what its handler noted', async () => {
  const more = Promise.withResolvers<void>();
  async function* stream() {
    yield bytesOf('12345');
    await more.promise;
    yield bytesOf('678');
  }
  const { url, requestLines, answers, ends } = await serverOf(async ({ request }) => {
    request.noted.model = 'm-1';
    return reply({ status: 201, stream: stream() });
  });
  const answer = await ask(url);
  expect([requestLines(), answers, ends]).toEqual([[], [], []]);
  more.resolve();
  for await (const _piece of answer);
  await settled(() => requestLines().length > 0);
  expect(requestLines()).toEqual([expect.objectContaining({ endpoint: 'ask', status: 201, bytes: 8, outcome: 'complete', model: 'm-1' })]);
  expect(answers).toEqual([expect.objectContaining({ route: '/ask', status: 201 })]);
  expect(ends).toEqual([{ outcome: 'complete', bytes: 8 }]);
});

test('a caller that hangs up in the middle of a stream ends the stream, and the log says so', async () => {
  let cleaned = false;
  let why: unknown;
  const { url, requestLines, ends } = await serverOf(async ({ request: { signal } }) => {
    async function* stream() {
      try {
        yield bytesOf('first');
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        why = signal.reason;
      } finally {
        cleaned = true;
      }
    }
    return reply({ stream: stream() });
  });
  const answer = await ask(url);
  await new Promise((resolve) => answer.once('data', resolve));
  answer.destroy();
  await settled(() => cleaned && requestLines().length > 0);
  expect(why).toMatchObject({ why: 'client_closed' });
  expect(ends).toEqual([{ outcome: 'client_closed', bytes: 5 }]);
  expect(requestLines()).toEqual([expect.objectContaining({ outcome: 'client_closed', bytes: 5 })]);
});

test.each([
  ['closes its connection', (socket: { destroy(): void }) => socket.destroy()],
  ['closes only its sending side', (socket: { end(): void }) => socket.end()],
] as const)('a handler learns before its first byte that its caller %s, streamed or not', async (_what, leave) => {
  for (const streamed of [true, false]) {
    const [begun, told] = [Promise.withResolvers<void>(), Promise.withResolvers<unknown>()];
    const { url, ends } = await serverOf(async ({ request: { signal } }) => {
      signal.addEventListener('abort', () => told.resolve(signal.reason));
      begun.resolve();
      if (!streamed) {
        await told.promise;
        return reply({ text: 'too late' });
      }
      async function* stream() {
        await told.promise;
        yield bytesOf('too late');
      }
      return reply({ stream: stream() });
    });
    const { socket } = rawConnection(url, RAW);
    await begun.promise;
    leave(socket as never);
    expect(await told.promise).toMatchObject({ why: 'client_closed' });
    await settled(() => ends.length > 0);
    expect(ends).toEqual([expect.objectContaining({ outcome: 'client_closed' })]);
    socket.destroy();
  }
});

test('a stream that fails unexpectedly cuts the connection, so that its caller sees no whole answer, and is logged', async () => {
  async function* stream() {
    yield bytesOf('half');
    throw new Error('a mistake in the code');
  }
  const { url, lines, requestLines, ends } = await serverOf(async () => reply({ stream: stream() }));
  const answer = await ask(url);
  await expect(
    (async () => {
      for await (const _piece of answer);
    })(),
  ).rejects.toThrow('aborted');
  await settled(() => requestLines().length > 0);
  expect(ends).toEqual([{ outcome: 'failed', bytes: 4 }]);
  expect(lines.find(({ event }) => event === 'stream_failed')).toMatchObject({
    request_id: answer.headers['x-request-id'],
    error: { message: 'a mistake in the code' },
  });
});

test('neither a stream that pauses nor a long-running answer is cut because nothing moves on its connection', async () => {
  const idleMs = 100;
  const later = () => new Promise((resolve) => setTimeout(resolve, idleMs * 5));
  const slow = await serverOf(
    async () => {
      await later();
      return reply({ text: 'at last' });
    },
    { idleMs, longRunning: true },
  );
  async function* stream() {
    yield bytesOf('a');
    await later();
    yield bytesOf('b');
  }
  const pausing = await serverOf(async () => reply({ stream: stream() }), { idleMs });
  const texts = [slow, pausing].map(async ({ url }) => {
    let text = '';
    for await (const piece of await ask(url)) text += piece;
    return text;
  });
  expect(await Promise.all(texts)).toEqual(['at last', 'ab']);
  const silent = rawConnection(pausing.url, 'POST /ask HTTP/1.1\r\n');
  expect(await silent.closed).not.toContain('200');
});

test('a stopping server lets a stream end', async () => {
  const more = Promise.withResolvers<void>();
  async function* stream() {
    yield bytesOf('begun ');
    await more.promise;
    yield bytesOf('and ended');
  }
  const { url, server } = await serverOf(async () => reply({ stream: stream() }), { drain: { ms: 10, longMs: 60_000 } });
  const answer = await ask(url);
  const closed = server.close();
  setTimeout(more.resolve, 50);
  let text = '';
  for await (const piece of answer) text += piece;
  expect(text).toBe('begun and ended');
  await closed;
});

test('a stream that does not end while the server stops is told, and its last words arrive', async () => {
  const { url, server, ends } = await serverOf(
    async ({ request: { signal } }) => {
      async function* stream() {
        yield bytesOf('begun ');
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        yield bytesOf(String((signal.reason as { why: string }).why));
      }
      return reply({ stream: stream() });
    },
    { drain: { ms: 5, longMs: 20 } },
  );
  const answer = await ask(url);
  const closed = server.close();
  let text = '';
  for await (const piece of answer) text += piece;
  await closed;
  expect([text, ends]).toEqual(['begun shutting_down', [{ outcome: 'complete', bytes: 19 }]]);
});

test('an answer that is not streamed tells its handler when it was sent', async () => {
  const { url, ends } = await serverOf(async () => reply({ bytes: bytesOf('whole'), headers: { 'content-type': 'text/plain' } }));
  let text = '';
  for await (const piece of await ask(url)) text += piece;
  await settled(() => ends.length > 0);
  expect([text, ends]).toEqual(['whole', [{ outcome: 'complete', bytes: 5 }]]);
});
