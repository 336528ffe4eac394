import { Pool } from 'undici';

/** A JSON client over kept-alive connections. It throws for any other status than the expected one. */
export interface BenchClient {
  call<T>(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    options?: { pak?: string; body?: unknown; expect?: number; etag?: string },
  ): Promise<T>;
  close(): Promise<void>;
}

export function benchClient(url: string, adminPak: string, connections = 64): BenchClient {
  const pool = new Pool(url, { connections, pipelining: 1 });
  return {
    async call(method, path, { pak = adminPak, body, expect, etag } = {}) {
      const response = await pool.request({
        method,
        path,
        headers: {
          authorization: `Bearer ${pak}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(etag !== undefined && { 'if-none-match': etag }),
        },
        body: body === undefined ? null : JSON.stringify(body),
      });
      const text = await response.body.text();
      const isExpected = expect === undefined ? response.statusCode < 300 : response.statusCode === expect;
      if (!isExpected) throw new Error(`${method} ${path}: ${response.statusCode} ${text.slice(0, 200)}`);
      return (text === '' ? undefined : JSON.parse(text)) as never;
    },
    close: () => pool.close(),
  };
}

/** Runs `task` for each number below `count`, `width` at once. */
export async function inParallel<T>(count: number, width: number, task: (n: number) => Promise<T>): Promise<T[]> {
  const results: T[] = new Array(count);
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const n = next++;
      results[n] = await task(n);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, worker));
  return results;
}
