import { createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { createHttpControlPlane } from '../../agent/control-plane/http-control-plane.ts';
import { type ScriptedControlPlane, startScriptedControlPlane } from './scripted-control-plane.ts';

const VARIABLES = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];
const inherited = VARIABLES.map((name) => [name, process.env[name]] as const);
/** No name server knows it: whoever is answered was answered through the proxy. */
const FAR = 'control-plane.invalid';

let server: ScriptedControlPlane;
let proxy: Awaited<ReturnType<typeof startProxy>>;
beforeAll(async () => {
  server = await startScriptedControlPlane();
  proxy = await startProxy(server.url);
});
afterEach(() => {
  proxy.asked.splice(0);
  for (const [name, value] of inherited) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});
afterAll(async () => {
  await proxy.close();
  await server.close();
});

/** A proxy that leads to one server, wherever one wanted to go. Tunnels end in it: it keeps their first bytes. */
async function startProxy(target: string) {
  const asked: string[] = [];
  const tunnelled: Buffer[] = [];
  const forward = (incoming: IncomingMessage, answer: ServerResponse) => {
    const { pathname, search } = new URL(incoming.url ?? '');
    const onwards = send(`${target}${pathname}${search}`, { method: incoming.method, headers: incoming.headers }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    incoming.pipe(onwards);
  };
  const listener = createServer((incoming, answer) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    forward(incoming, answer);
  });
  listener.on('connect', ({ url }: IncomingMessage, socket: Socket) => {
    asked.push(`CONNECT ${url}`);
    socket.once('data', (bytes) => {
      tunnelled.push(bytes);
      socket.destroy();
    });
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', () => resolve()));
  return {
    url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    asked,
    tunnelled,
    close: () =>
      new Promise<void>((resolve) => {
        listener.close(() => resolve());
        listener.closeAllConnections();
      }),
  };
}

async function askedThrough<T>(
  baseUrl: string,
  variables: Record<string, string>,
  ask: (plane: ReturnType<typeof createHttpControlPlane>) => T,
) {
  for (const name of VARIABLES) delete process.env[name];
  Object.assign(process.env, variables);
  const plane = createHttpControlPlane({ baseUrl, pak: server.pak, timeoutMs: 5_000 });
  try {
    return await ask(plane);
  } finally {
    await plane.close();
  }
}

test('the control plane is asked through the proxy that the environment names', async () => {
  const who = await askedThrough(`http://${FAR}:3000`, { HTTP_PROXY: proxy.url }, (plane) => plane.whoAmI());
  expect(who.agent).toBe(server.model.agentId);
  expect(proxy.asked).toEqual([`POST http://${FAR}:3000/api/v1/auth/pak`]);
});

test('over HTTPS the proxy is asked for a tunnel, and sees nothing but TLS', async () => {
  const asking = askedThrough(`https://${FAR}`, { HTTPS_PROXY: proxy.url }, (plane) => plane.whoAmI());
  await expect(asking).rejects.toMatchObject({ fault: 'unreachable' });
  expect(proxy.asked).toEqual([`CONNECT ${FAR}:443`]);
  expect(proxy.tunnelled[0]?.[0]).toBe(0x16);
});

test.each([
  {
    what: 'what NO_PROXY names',
    baseUrl: `http://${FAR}:3000`,
    variables: () => ({ HTTP_PROXY: proxy.url, NO_PROXY: '.invalid' }),
    ready: false,
  },
  { what: 'its own machine', baseUrl: '', variables: () => ({ HTTP_PROXY: proxy.url }), ready: true },
])('$what is asked directly', async ({ baseUrl, variables, ready }) => {
  expect(await askedThrough(baseUrl || server.url, variables(), (plane) => plane.ready())).toBe(ready);
  expect(proxy.asked).toEqual([]);
});

test('a proxy that is away is a control plane that is away', async () => {
  const asking = askedThrough(`http://${FAR}:3000`, { HTTP_PROXY: 'http://127.0.0.1:9' }, (plane) => plane.whoAmI());
  await expect(asking).rejects.toMatchObject({ fault: 'unreachable' });
});
