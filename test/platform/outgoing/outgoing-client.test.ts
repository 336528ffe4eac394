import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import {
  createOutgoingClient,
  type OutgoingClient,
  type OutgoingOptions,
  type OutgoingRequest,
} from '../../../lib/platform/outgoing/outgoing-client.ts';
import { readWhole } from '../../../lib/platform/outgoing/read-whole.ts';

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function listen(server: Server): Promise<{ url: string; port: number; sockets: Set<Socket>; connected: () => number }> {
  const sockets = new Set<Socket>();
  let connected = 0;
  server.on('connection', (socket: Socket) => {
    connected++;
    sockets.add(socket.on('error', () => {}));
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  undo.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, sockets, connected: () => connected };
}
const httpServer = (listener: RequestListener) => listen(createServer(listener));
/** A server that writes these bytes when a request has come. */
const tcpServer = (act: (socket: Socket) => void) => listen(createTcpServer((socket) => socket.once('data', () => act(socket))));

function client(options: Partial<OutgoingOptions> = {}): OutgoingClient {
  const made = createOutgoingClient({ allowPrivate: true, ...options });
  undo.push(made.close);
  return made;
}
const TIMEOUTS = { connectMs: 5_000, firstByteMs: 5_000, idleMs: 5_000, totalMs: 5_000 };
type Given = Omit<Partial<OutgoingRequest>, 'timeouts'> & { timeouts?: Partial<OutgoingRequest['timeouts']> };
const request = (url: string, { timeouts, ...more }: Given = {}): OutgoingRequest => ({
  method: 'POST',
  url,
  headers: { 'content-type': 'application/json' },
  body: '{}',
  limitBytes: 1_000_000,
  ...more,
  timeouts: { ...TIMEOUTS, ...timeouts },
});
const failing = (reason: string, limit?: string) =>
  expect.objectContaining({ name: 'OutgoingFailure', reason, ...(limit !== undefined && { limit }) });
const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';
const turns = async (done: () => boolean) => {
  while (!done()) await new Promise(setImmediate);
};

test('a call sends its body and headers, and gets status, headers and body', async () => {
  const { url } = await httpServer(async (incoming, response) => {
    let text = '';
    for await (const piece of incoming) text += piece;
    response.writeHead(418, {
      'X-Seen': `${incoming.method} ${incoming.url} ${incoming.headers['x-key']} ${incoming.headers['accept-encoding']}`,
    });
    response.end(text);
  });
  const { status, headers, body } = await client().send(request(`${url}/a?b=c`, { headers: { 'x-key': 'k' }, body: '{"é":1}' }));
  expect([status, headers['x-seen'], String(await readWhole(body))]).toEqual([418, 'POST /a?b=c k identity', '{"é":1}']);
});

test('calls use the connections of calls before them', async () => {
  const { url, connected } = await httpServer((_request, response) => setImmediate(() => response.end('ok')));
  const outgoing = client();
  for (let n = 0; n < 10; n++) await readWhole((await outgoing.send(request(url))).body);
  // A connection is free again one turn of the event loop after its answer.
  expect(connected()).toBeLessThanOrEqual(2);
});

test('pieces of a stream arrive as they are sent', async () => {
  const next = Promise.withResolvers<void>();
  const { url } = await httpServer(async (_request, response) => {
    response.write('one');
    await next.promise;
    response.end('two');
  });
  const received: string[] = [];
  for await (const piece of (await client().send(request(url))).body) {
    received.push(String(piece));
    next.resolve();
  }
  expect(received).toEqual(['one', 'two']);
});

test('a sender of an endless stream is slowed down by a slow reader, and cut off when it is not read to its end', async () => {
  let [sent, full] = [0, false];
  const { url, sockets } = await tcpServer((socket) => {
    socket.write(HEAD);
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(0x10000, 'x'), Buffer.from('\r\n')]);
    const write = () => {
      while (socket.writable) {
        sent += chunk.length;
        if (!socket.write(chunk)) {
          full = true;
          return void socket.once('drain', write);
        }
      }
    };
    write();
  });
  const { body } = await client().send(request(url, { limitBytes: Number.POSITIVE_INFINITY }));
  await turns(() => full);
  let before = -1;
  while (before !== sent) {
    before = sent;
    for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate);
  }
  expect(sent).toBeLessThan(32_000_000);
  for await (const _piece of body) break;
  await turns(() => sockets.size === 0);
});

test('an answer above its limit fails, whether it says its length or not', async () => {
  const long = await httpServer((_request, response) => response.end('x'.repeat(2_000)));
  await expect(client().send(request(long.url, { limitBytes: 1_000 }))).rejects.toEqual(failing('too_large'));
  const chunked = await httpServer((_request, response) => {
    response.write('x'.repeat(600));
    setImmediate(() => response.end('x'.repeat(600)));
  });
  const { body } = await client().send(request(chunked.url, { limitBytes: 1_000 }));
  await expect(readWhole(body)).rejects.toEqual(failing('too_large'));
});

test('a redirect is an answer and is not followed', async () => {
  const paths: (string | undefined)[] = [];
  const { url } = await httpServer((incoming, response) => {
    paths.push(incoming.url);
    response.writeHead(307, { location: '/elsewhere' }).end();
  });
  expect((await client().send(request(`${url}/first`))).status).toBe(307);
  expect(paths).toEqual(['/first']);
});

test.each([
  ['says nothing', () => {}, 'first_byte', { firstByteMs: 30 }],
  [
    'sends its headers too slowly',
    (socket: Socket): void => void socket.write('HTTP/1.1 200 OK\r\nX-Slow: '),
    'first_byte',
    { firstByteMs: 30 },
  ],
  ['stops in the middle', (socket: Socket): void => void socket.write(`${HEAD}3\r\nabc\r\n`), 'idle', { idleMs: 30 }],
  ['takes too long altogether', (socket: Socket): void => void socket.write(`${HEAD}3\r\nabc\r\n`), 'total', { totalMs: 30 }],
] as const)('a call to a server that %s ends in time, with its connection closed', async (_what, act, limit, timeouts) => {
  const { url, sockets } = await tcpServer(act);
  const call = client()
    .send(request(url, { timeouts }))
    .then(({ body }) => readWhole(body));
  await expect(call).rejects.toEqual(failing('timeout', limit));
  await turns(() => sockets.size === 0);
});

test('a reader that takes its time is not a sender that is idle', async () => {
  const { url } = await httpServer((_request, response) => {
    response.write('one');
    setTimeout(() => response.end('two'), 20);
  });
  const received: string[] = [];
  for await (const piece of (await client().send(request(url, { timeouts: { idleMs: 60 } }))).body) {
    received.push(String(piece));
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  expect(received).toEqual(['one', 'two']);
});

test('a call that finds no free connection in time fails', async () => {
  const { url } = await tcpServer(() => {});
  const outgoing = client({ connections: 1 });
  const first = outgoing.send(request(url, { timeouts: { totalMs: 300 } }));
  await expect(outgoing.send(request(url, { timeouts: { connectMs: 30 } }))).rejects.toEqual(failing('timeout', 'connect'));
  await expect(first).rejects.toEqual(failing('timeout', 'total'));
});

test.each([
  ['closes at once', (socket: Socket): void => void socket.end()],
  ['resets the connection', (socket: Socket): void => void socket.resetAndDestroy()],
  ['cuts a chunked answer', (socket: Socket): void => void socket.end(`${HEAD}5\r\nab`)],
  ['cuts an answer with a length', (socket: Socket): void => void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab')],
  ['speaks no HTTP', (socket: Socket): void => void socket.end('SSH-2.0-OpenSSH_9.6\r\n')],
] as const)('a call to a server that %s fails as reset', async (_what, act) => {
  const { url } = await tcpServer(act);
  const call = client()
    .send(request(url))
    .then(({ body }) => readWhole(body));
  await expect(call).rejects.toEqual(failing('reset'));
});

test('a call to a port where nobody listens, or to an unknown host, fails to connect', async () => {
  const server = await httpServer(() => {});
  await undo.pop()?.();
  await expect(client().send(request(server.url))).rejects.toEqual(failing('connect'));
  const unknown = client({
    resolve: async () => {
      throw Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
    },
  });
  await expect(unknown.send(request('https://nobody.example'))).rejects.toEqual(failing('connect'));
});

test('an aborted call closes its connection at once, before the answer and in the middle of it', async () => {
  const silent = await tcpServer(() => {});
  const early = new AbortController();
  const call = client().send(request(silent.url, { signal: early.signal }));
  await turns(() => silent.sockets.size === 1);
  early.abort();
  await expect(call).rejects.toEqual(failing('aborted'));
  await turns(() => silent.sockets.size === 0);

  const streaming = await tcpServer((socket) => void socket.write(`${HEAD}3\r\nabc\r\n`));
  const late = new AbortController();
  const { body } = await client().send(request(streaming.url, { signal: late.signal }));
  const reading = readWhole(body);
  late.abort();
  await expect(reading).rejects.toEqual(failing('aborted'));
  await turns(() => streaming.sockets.size === 0);
  await expect(client().send(request(silent.url, { signal: late.signal }))).rejects.toEqual(failing('aborted'));
});

test('no connection is made to a private address, whichever name or notation leads there', async () => {
  const { port, connected } = await tcpServer(() => {});
  const closed = client({ allowPrivate: false, resolve: async () => [{ address: '127.0.0.1', family: 4 }] });
  for (const host of ['127.0.0.1', '2130706433', '0x7f.1', '[::ffff:127.0.0.1]', 'localhost', 'innocent.example']) {
    await expect(closed.send(request(`https://${host}:${port}/`))).rejects.toEqual(failing('forbidden_address'));
    await expect(closed.check(`https://${host}:${port}/`)).rejects.toEqual(failing('forbidden_address'));
  }
  expect(connected()).toBe(0);
});

test('a host that had a public address when it was checked is refused when it has a private one at the connection', async () => {
  const { port, connected } = await tcpServer(() => {});
  const answers = [['93.184.216.34'], ['93.184.216.34', '127.0.0.1']];
  const rebound = client({
    allowPrivate: false,
    resolve: async () => (answers.shift() ?? []).map((address) => ({ address, family: 4 })),
  });
  await rebound.check(`https://rebind.example:${port}/`);
  await expect(rebound.send(request(`https://rebind.example:${port}/`))).rejects.toEqual(failing('forbidden_address'));
  expect(connected()).toBe(0);
});

test('a connection goes to the address that was checked: the host is resolved once', async () => {
  const { port } = await httpServer((incoming, response) => response.end(incoming.headers.host));
  const asked: string[] = [];
  const outgoing = client({
    resolve: async (host) => {
      asked.push(host);
      return [{ address: '127.0.0.1', family: 4 }];
    },
  });
  const { body } = await outgoing.send(request(`http://model.internal:${port}/`));
  expect(String(await readWhole(body))).toBe(`model.internal:${port}`);
  expect(asked).toEqual(['model.internal']);
});

test('plain HTTP goes only to private addresses, and only if they are open', async () => {
  const resolve = async () => [{ address: '93.184.216.34', family: 4 }];
  await expect(client({ resolve }).send(request('http://public.example'))).rejects.toEqual(failing('forbidden_address'));
  await expect(client({ allowPrivate: false, resolve }).send(request('http://public.example'))).rejects.toEqual(
    failing('forbidden_address'),
  );
});
