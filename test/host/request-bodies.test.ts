import { createServer, request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createBodyBudget } from '../../infra/host/http/body-budget.ts';
import { readBody } from '../../infra/host/http/http-body.ts';
import { systemClock } from '../../lib/platform/clock.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { raw, rawConnection } from './raw-http.ts';

const MIB = 1024 * 1024;
let host: TestHost;
beforeAll(async () => {
  host = await startTestHost();
});
afterAll(() => host.stop());

const head = (path: string, headers: string[]) =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n`;
const codeOf = (answer: string) => /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1];
const length = (bytes: number) => `Content-Length: ${bytes}`;
const key = () => `Authorization: ${host.adminPak}`;

describe('the head of a request', () => {
  test.each([
    { what: 'on an unknown path', status: '404', bytes: () => head('/nowhere', [length(3 * MIB)]) },
    { what: 'without a key', status: '401', bytes: () => head('/api/v1/agents', [length(1_000)]) },
    { what: 'with a larger body than the operation takes', status: '413', bytes: () => head('/api/v1/agents', [key(), length(3 * MIB)]) },
    { what: 'with a method that the path does not serve', status: '405', bytes: () => head('/healthz', [length(1_000)]) },
  ])('a request $what is refused with $status before a byte of its body is read', async ({ status, bytes }) => {
    // A client that expects 100-continue sends its body only after that answer, which does not come.
    const connection = rawConnection(host.url, bytes().replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n'));
    expect(codeOf(await connection.answered)).toBe(status);
    connection.socket.destroy();
  });
});

test('an admitted request that expects 100-continue gets it, and is answered after its body', async () => {
  const body = '{"name":"continued","cluster_name":"c"}';
  const connection = rawConnection(
    host.url,
    head('/api/v1/agents', [key(), length(body.length), 'Content-Type: application/json', 'Expect: 100-continue', 'Connection: close']),
  );
  expect(codeOf(await connection.answered)).toBe('100');
  connection.socket.write(body);
  expect(await connection.closed).toMatch(/HTTP\/1\.1 201 /);
});

test('a client that has begun to send a refused body gets its answer, not a reset', async () => {
  const large = Buffer.alloc(4 * MIB, 'x');
  expect((await host.anonymous.post('/agents', 'x'.repeat(200_000), { contentType: 'application/json' })).status).toBe(401);
  const refused = await host.admin.post('/agents', large, { contentType: 'application/json' });
  expect([refused.status, refused.body.code]).toEqual([413, 'payload_too_large']);
});

test('a body of unknown length that becomes too large is answered with 413, or with 401 without a key', async () => {
  const chunks = `${`10000\r\n${'x'.repeat(65_536)}\r\n`.repeat(64)}0\r\n\r\n`;
  const headers = ['Connection: close', 'Transfer-Encoding: chunked'];
  expect(codeOf(await raw(host.url, `${head('/api/v1/agents', [...headers, key()])}${chunks}`))).toBe('413');
  expect(codeOf(await raw(host.url, `${head('/api/v1/agents', headers)}${chunks}`))).toBe('401');
});

test('the connection of a refused body serves the next request', async () => {
  const next = 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
  const answer = await raw(host.url, `${head('/nowhere', [length(5)])}12345${next}`);
  expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 404', 'HTTP/1.1 200']);
});

test('eighty bodies without a key on an unknown path take no memory', async () => {
  const before = process.memoryUsage.rss();
  const part = Buffer.alloc(3 * MIB, 'a');
  const connections = Array.from({ length: 80 }, () => rawConnection(host.url, head('/nowhere', [length(part.length + 1)])));
  for (const { socket } of connections) socket.once('connect', () => socket.write(part));
  const answers = await Promise.all(connections.map(({ answered }) => answered));
  const grown = process.memoryUsage.rss() - before;
  for (const { socket } of connections) socket.destroy();
  expect(answers.map(codeOf)).toEqual(Array(80).fill('404'));
  // The clients of this test are in this process too; the bodies are 240 MiB.
  expect(grown).toBeLessThan(120 * MIB);
});

describe('the bytes of bodies in flight', () => {
  let small: TestHost;
  beforeAll(async () => {
    small = await startTestHost({ bodyBudget: { totalBytes: 2_000, callerBytes: 1_000 } });
  });
  afterAll(() => small.stop());

  const asking = (bytes: number, pak: string) =>
    rawConnection(
      small.url,
      head('/api/v1/generators', [`Authorization: ${pak}`, length(bytes), 'Content-Type: application/json', 'Expect: 100-continue']),
    );

  test('the bytes of bodies in flight are bounded, and a caller beyond the bound may try again later', async () => {
    const body = JSON.stringify({ name: 'g', description: 'x'.repeat(500) });
    const first = asking(900, small.adminPak);
    expect(codeOf(await first.answered)).toBe('100');
    const refused = await small.admin.post('/generators', body, { contentType: 'application/json' });
    expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '1' }, body: { code: 'overloaded' } });
    first.socket.destroy();
    await first.closed;
    let status = 503;
    while (status === 503) ({ status } = await small.admin.post('/generators', body, { contentType: 'application/json' }));
    expect(status).toBe(201);
  });

  test('the bytes of bodies in flight of one caller leave room for another', () => {
    const budget = createBodyBudget({ totalBytes: 100, callerBytes: 40 });
    const room = budget.reserve('a', 40);
    expect([budget.reserve('a', 1), budget.reserve('b', 30) !== undefined, budget.reserve('b', 1)]).toEqual([undefined, true, undefined]);
    room?.release();
    expect(budget.reserve('a', 35)).toBeDefined();
  });

  test('a body of unknown size takes only its own bytes once it is here, and gives exactly those back', () => {
    const budget = createBodyBudget({ totalBytes: 100, callerBytes: 40 });
    const room = budget.reserve('a', 40);
    room?.shrinkTo(10);
    room?.shrinkTo(30);
    const second = budget.reserve('a', 30);
    expect([second !== undefined, budget.reserve('a', 1)]).toEqual([true, undefined]);
    room?.release();
    second?.release();
    expect(budget.reserve('a', 40)).toBeDefined();
  });

  test('the bytes of bodies in flight are never all taken by a few callers', () => {
    const budget = createBodyBudget({ totalBytes: 64 * MIB, callerBytes: 16 * MIB });
    for (let caller = 0; caller < 8; caller++) while (budget.reserve(`greedy ${caller}`, 4_096));
    expect(budget.reserve('an agent', 4_096)).toBeDefined();
  });
});

test('a body that arrives too slowly is given up', async () => {
  const [outcome, ticked] = [Promise.withResolvers<unknown>(), Promise.withResolvers<void>()];
  const clock = { ...systemClock, sleep: () => ticked.promise };
  const server = createServer((request) => {
    request.once('data', () => ticked.resolve());
    readBody(request, { bytes: 100, timeoutMs: 20_000 }, clock).then(outcome.resolve);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('not listening');
  const client = httpRequest({ port: address.port, host: '127.0.0.1', method: 'POST', headers: { 'content-length': '100' } });
  client.on('error', () => {}).write('slow');
  expect(await outcome.promise).toEqual({ kind: 'too-slow' });
  client.destroy();
  server.closeAllConnections();
  server.close();
});

describe('malformed HTTP', () => {
  const twoLengths = 'POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n';
  const largeHeaders = `GET /healthz HTTP/1.1\r\nHost: x\r\nX-Large: ${'x'.repeat(20_000)}\r\n\r\n`;
  test.each([
    { what: 'without a request line', bytes: 'hello\r\n\r\n', status: '400', code: 'malformed_request' },
    { what: 'without a host', bytes: 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n', status: '400', code: 'malformed_request' },
    { what: 'with two lengths', bytes: twoLengths, status: '400', code: 'malformed_request' },
    { what: 'with headers beyond 16 KiB', bytes: largeHeaders, status: '431', code: 'headers_too_large' },
  ])('malformed HTTP $what is refused in JSON with the code $code', async ({ bytes, status, code }) => {
    const answer = await raw(host.url, bytes);
    expect(codeOf(answer)).toBe(status);
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toEqual({ code, message: expect.any(String), error: expect.any(String) });
  });
});

test('an unknown expectation is ignored, and the request gets its answer', async () => {
  const answer = await raw(host.url, 'GET /healthz HTTP/1.1\r\nHost: x\r\nExpect: a-miracle\r\nConnection: close\r\n\r\n');
  expect(codeOf(answer)).toBe('200');
  expect(answer).toContain('x-content-type-options: nosniff');
});
