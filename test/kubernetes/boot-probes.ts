import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Holds both ports until both are known. Another process may take one afterwards; the caller then retries. */
export async function findFreePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()] as const;
  const port = (server: (typeof servers)[number]): Promise<number> =>
    new Promise((resolve, reject) => {
      server.once('error', reject).listen(0, '127.0.0.1', () => {
        const address = server.address();
        if (typeof address === 'object' && address) resolve(address.port);
      });
    });
  const ports: [number, number] = [await port(servers[0]), await port(servers[1])];
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

export type ApiCaller = (method: string, path: string, body?: unknown) => Promise<{ status: number; body: string }>;

/** Calls the API as the administrator. Each call has its own connection, since the API server may drop one while it starts. */
export const apiCaller =
  ({ server, token, caPath }: { server: string; token: string; caPath: string }): ApiCaller =>
  async (method, path, body) => {
    const ca = await readFile(caPath);
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const sent = request(`${server}${path}`, { method, ca, headers, timeout: 5_000, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
      });
      sent.on('timeout', () => sent.destroy(new Error('no answer in 5 s'))).on('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  };

/** A step takes a second or two on two idle cores. The limit is for machines that are busy with other work. */
const READY_TIMEOUT_MS = 120_000;

/** Repeats the probe every 50 ms until it is true. An error counts as false, since everything is still starting. */
export async function until(what: string, signal: AbortSignal, probe: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + READY_TIMEOUT_MS;
  let lastError: unknown;
  while (performance.now() < deadlineMs) {
    signal.throwIfAborted();
    try {
      if (await probe()) return;
    } catch (error) {
      lastError = error;
    }
    await sleep(50, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
  throw new Error(`not within ${READY_TIMEOUT_MS / 1000} s: ${what}`, { cause: lastError });
}
