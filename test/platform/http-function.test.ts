import { expect, test } from '@jest/globals';
import * as z from 'zod';
import { AppError } from '../../lib/platform/errors.ts';
import { type AnyEndpoint, endpointFor, reply } from '../../lib/platform/http/endpoint.ts';
import type { HttpEvent } from '../../lib/platform/http/http-event.ts';
import { httpFunction } from '../../lib/platform/http/http-function.ts';
import type { AnySurface } from '../../lib/platform/http/surface.ts';
import { createLog } from '../../lib/platform/log.ts';
import { testSurface } from './test-surface.ts';

const requestTo = (method: string, path: string, more: Partial<HttpEvent> = {}) =>
  ({ rawPath: path, rawQueryString: '', routeKey: '$default', headers: {}, requestContext: { http: { method } }, ...more }) as HttpEvent;

const endpointsOf = (surface: AnySurface): AnyEndpoint[] => [
  endpointFor(surface)({
    id: 'hello',
    method: 'GET',
    path: '/hello',
    summary: '',
    access: { who: 'any key', principals: [], check: () => {} },
    status: 204,
    handle: async () => {},
  }),
  endpointFor(surface)({
    id: 'tell',
    method: 'POST',
    path: '/hello',
    summary: '',
    access: { who: 'any key', principals: [], check: () => {} },
    body: z.object({ name: z.string() }),
    bodyLimitBytes: 100,
    status: 200,
    response: z.object({ said: z.string() }),
    handle: async (_context, { body }) => ({ said: body.name }),
  }),
];
const functionOf = (surface: AnySurface) => httpFunction(endpointsOf(surface), surface);

test('a surface whose composition fails answers 503 with Retry-After and no reason, and composes again for the next request', async () => {
  let composed = 0;
  const surface = testSurface({
    authenticate: async () => 'somebody',
    describe: () => ({ type: 'test' }),
    services: async () => {
      composed += 1;
      throw new AppError('unavailable', 'not ready yet', { retryAfterSeconds: 5, cause: new Error('no such table: secret-name') });
    },
  });
  const handler = functionOf(surface);
  for (const times of [1, 2]) {
    const { statusCode, headers, body } = await handler(requestTo('GET', '/hello'));
    expect({ statusCode, headers }).toMatchObject({ statusCode: 503, headers: { 'retry-after': '5' } });
    expect(JSON.parse(body ?? '')).toEqual({ code: 'unavailable', message: expect.any(String), error: expect.any(String) });
    expect(body).not.toContain('secret-name');
    expect(composed).toBe(times);
  }
});

test("every answer has its surface's headers: successes, refusals, unknown paths, wrong methods and failures", async () => {
  let caller: unknown = 'somebody';
  const surface = testSurface({
    authenticate: async () => {
      if (caller === undefined) throw new AppError('unauthenticated', 'no key');
      return caller;
    },
    describe: () => ({ type: 'test' }),
    headers: () => ({ 'x-limit': '7' }),
  });
  const handler = functionOf(surface);
  const answers = [
    await handler(requestTo('GET', '/hello')),
    await handler(requestTo('POST', '/hello', { body: '{', headers: { 'content-type': 'application/json' } })),
    await handler(requestTo('POST', '/hello', { body: 'x'.repeat(101) })),
    await handler(requestTo('GET', '/nowhere')),
    await handler(requestTo('DELETE', '/hello')),
    await handler(requestTo('OPTIONS', '/hello')),
  ];
  caller = undefined;
  answers.push(await handler(requestTo('GET', '/hello')));
  expect(answers.map(({ statusCode, headers }) => [statusCode, headers?.['x-limit'], headers?.['x-content-type-options']])).toEqual(
    [204, 400, 413, 404, 405, 200, 401].map((status) => [status, '7', 'nosniff']),
  );
});

test('a request is refused by its head without its body, and an admitted one says how large its body may be', async () => {
  const known = testSurface({ authenticate: async () => 'somebody', describe: () => ({ type: 'test', id: '7' }) });
  const post = (headers: Record<string, string>) => requestTo('POST', '/hello', { headers });
  expect(await functionOf(testSurface()).admit(post({}))).toMatchObject({ kind: 'answered', result: { statusCode: 401 } });
  expect(await functionOf(known).admit(post({ 'content-length': '101' }))).toMatchObject({ kind: 'answered', result: { statusCode: 413 } });
  expect(await functionOf(known).admit(requestTo('POST', '/nowhere'))).toMatchObject({ kind: 'answered', result: { statusCode: 404 } });

  const admitted = await functionOf(known).admit(post({ 'content-type': 'application/json', 'content-length': '12' }));
  if (admitted.kind !== 'admitted') throw new Error('not admitted');
  expect([admitted.bodyLimitBytes, admitted.caller]).toEqual([100, 'test 7']);
  expect(await admitted.complete(Buffer.from('{"name":"a"}'))).toMatchObject({ statusCode: 200, body: '{"said":"a"}' });
});

test('a body in a compression that nobody reads is refused before it is read, and says why', async () => {
  const handler = functionOf(testSurface({ authenticate: async () => 'somebody', describe: () => ({ type: 'test' }) }));
  const tell = (encoding: string) =>
    handler(
      requestTo('POST', '/hello', { headers: { 'content-type': 'application/json', 'content-encoding': encoding }, body: '{"name":"x"}' }),
    );
  for (const encoding of ['br', 'deflate', 'gzip, identity']) {
    expect(await tell(encoding)).toMatchObject({ statusCode: 415, body: expect.stringContaining('must be gzip or identity') });
  }
  expect(await tell('Identity')).toMatchObject({ statusCode: 200 });
});

test('a request to a function with a wrong configuration is answered with an internal error, not with a crash', async () => {
  const surface = testSurface({
    base: () => {
      throw new Error('bad configuration');
    },
    cors: () => {
      throw new Error('bad configuration');
    },
    authenticate: async () => {
      throw new Error('bad configuration');
    },
  });
  expect(await functionOf(surface)(requestTo('GET', '/hello', { headers: { origin: 'https://a.example' } }))).toMatchObject({
    statusCode: 500,
  });
});

test('only answers over HTTPS have an HSTS header', async () => {
  const handler = functionOf(testSurface());
  const over = async (headers: Record<string, string>) =>
    (await handler(requestTo('GET', '/hello', { headers }))).headers?.['strict-transport-security'];
  expect(await over({ 'x-forwarded-proto': 'https' })).toBe('max-age=31536000');
  expect([await over({}), await over({ 'x-forwarded-proto': 'http' })]).toEqual([undefined, undefined]);
});

test('what a surface says about its limits is in every answer, its own refusal included', async () => {
  let left = 2;
  const limited = testSurface({
    authenticate: async () => 'somebody',
    describe: () => ({ type: 'test' }),
    limit({ answerHeaders }, { principal, endpoint }) {
      answerHeaders['x-left'] = `${left} for ${principal ?? 'anyone'} at ${endpoint?.id ?? 'no endpoint'}`;
      if (left-- === 0) throw new AppError('rate_limited', 'slower', { retryAfterSeconds: 3 });
    },
  });
  const handler = functionOf(limited);
  const answers = [
    await handler(requestTo('GET', '/hello')),
    await handler(requestTo('GET', '/nowhere')),
    await handler(requestTo('POST', '/hello')),
  ];
  expect(answers.map(({ statusCode, headers }) => [statusCode, headers?.['x-left'], headers?.['retry-after']])).toEqual([
    [204, '2 for somebody at hello', undefined],
    [404, '1 for anyone at no endpoint', undefined],
    [429, '0 for somebody at tell', '3'],
  ]);
});

test("a surface's headers know the caller as soon as it is known", async () => {
  const surface = testSurface({
    authenticate: async ({ headers }) => {
      if (headers.authorization === undefined) throw new AppError('unauthenticated', 'no key');
      return headers.authorization;
    },
    describe: () => ({ type: 'test' }),
    headers: (_request, principal) => ({ 'x-caller': String(principal) }),
  });
  const answer = async (headers: Record<string, string>) => (await functionOf(surface)(requestTo('GET', '/hello', { headers }))).headers;
  expect(await answer({ authorization: 'me' })).toMatchObject({ 'x-caller': 'me' });
  expect(await answer({})).toMatchObject({ 'x-caller': 'undefined' });
});

test('a function behind API Gateway answers a stream as a whole, text as it is and other bytes in base64, and settles before it returns', async () => {
  const steps: unknown[] = [];
  const streaming = (pieces: Uint8Array[]) => {
    const endpoint = endpointFor(testSurface())({
      id: 'stream',
      method: 'GET',
      path: '/stream',
      summary: '',
      access: 'public',
      status: 200,
      handle: async () =>
        reply({
          stream: (async function* () {
            yield* pieces;
          })(),
          onEnd: async (end) => {
            await new Promise(setImmediate);
            steps.push(end);
          },
        }),
    });
    return httpFunction([endpoint], testSurface());
  };
  // A character is cut between two pieces.
  const [first, second] = [Buffer.from('é').subarray(0, 1), Buffer.from('é').subarray(1)];
  expect(await streaming([first, second])(requestTo('GET', '/stream'))).toMatchObject({ statusCode: 200, body: 'é' });
  expect(await streaming([first])(requestTo('GET', '/stream'))).toMatchObject({ body: 'ww==', isBase64Encoded: true });
  expect(steps).toEqual([2, 1].map((bytes) => ({ outcome: 'complete', bytes })));
});

test.each([
  ['a rule answers it', undefined, { level: 'warn', event: 'request_unavailable', code: 'none_left', message: 'nobody may be asked' }],
  ['a fault is behind it', new Error('socket closed'), { level: 'error', event: 'request_failed' }],
])('a 503 is logged as an error with its stack only if a fault is behind it: %s', async (_, cause, line) => {
  const lines: string[] = [];
  const surface = testSurface({
    base: () => ({ log: createLog({ write: (text) => lines.push(text) }) }),
    authenticate: async () => {
      throw new AppError('unavailable', 'nobody may be asked', { code: 'none_left', cause });
    },
  });
  expect(await functionOf(surface)(requestTo('GET', '/hello'))).toMatchObject({ statusCode: 503 });
  const logged = lines.map((text) => JSON.parse(text));
  expect(logged).toContainEqual(expect.objectContaining(line));
  expect(lines.join().includes('at ')).toBe(cause !== undefined);
});
