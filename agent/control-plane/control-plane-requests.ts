import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { type Dispatcher, EnvHttpProxyAgent, request, Agent as UndiciAgent } from 'undici';
import * as z from 'zod';
import { type Clock, systemClock } from '../../lib/platform/clock.ts';
import { createAgentKey } from './agent-key.ts';
import { ControlPlaneError } from './control-plane.ts';

const TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** A deployment object of 4 MiB whose every character is escaped in JSON, or tens of thousands of assignments. */
const ANSWER_BYTES_MAX = 32 * 1024 * 1024;
const ERROR_BYTES_MAX = 16 * 1024;
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

const Problem = z.object({ message: z.string(), code: z.string().optional() });

export interface ControlPlaneRequestOptions {
  /** Without `/api/v1`. */
  baseUrl: string;
  pak: string;
  /** Reads the key again if it is refused: it may have been replaced. May throw. */
  readPak?: () => string;
  timeoutMs?: number;
  clock?: Clock;
}

interface CallOptions {
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

interface Answer {
  status: number;
  etag: string | undefined;
  header(name: string): string | undefined;
  text: string;
}

/** Requests to the control plane: each has a time limit and a size limit, and fails with a ControlPlaneError that names what was asked. */
export interface ControlPlaneRequests {
  /** Resolves to the answer, whatever its status is. */
  call(method: Dispatcher.HttpMethod, url: string, options?: CallOptions): Promise<Answer>;
  /** Any status but the expected ones is an error; the body is read by the schema and by nothing else. */
  ask<T>(
    method: Dispatcher.HttpMethod,
    url: string,
    expected: readonly number[],
    schema: z.ZodType<T> | undefined,
    options?: CallOptions,
  ): Promise<Answer & { value: T | undefined }>;
  /** The body of a 200. */
  fetched<T>(method: Dispatcher.HttpMethod, url: string, schema: z.ZodType<T>, options?: CallOptions): Promise<T>;
  close(): Promise<void>;
}

export function createControlPlaneRequests({
  baseUrl,
  pak,
  readPak,
  timeoutMs = TIMEOUT_MS,
  clock = systemClock,
}: ControlPlaneRequestOptions): ControlPlaneRequests {
  const key = createAgentKey({ pak, read: readPak, clock });
  const limits = {
    connectTimeout: Math.min(CONNECT_TIMEOUT_MS, timeoutMs),
    keepAliveTimeout: 60_000,
    connections: 8,
    maxHeaderSize: 32 * 1024,
  };
  // Through the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY say; no proxy leads back to one's own machine.
  const dispatcher = LOOPBACK.test(new URL(baseUrl).hostname) ? new UndiciAgent(limits) : new EnvHttpProxyAgent(limits);

  async function call(method: Dispatcher.HttpMethod, url: string, options: CallOptions = {}): Promise<Answer> {
    const used = key.current();
    const answer = await callWith(used, method, url, options);
    return answer.status === 401 && key.replaced(used) ? callWith(key.current(), method, url, options) : answer;
  }

  async function callWith(
    currentPak: string,
    method: Dispatcher.HttpMethod,
    url: string,
    { body: sent, headers, signal }: CallOptions,
  ): Promise<Answer> {
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      const response = await request(url, {
        method,
        dispatcher,
        signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
        headers: {
          authorization: `Bearer ${currentPak}`,
          accept: 'application/json',
          'accept-encoding': 'gzip',
          ...(sent !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(sent !== undefined && { body: JSON.stringify(sent) }),
      });
      const { statusCode: status } = response;
      const header = (name: string): string | undefined => {
        const value = response.headers[name];
        return typeof value === 'string' ? value : undefined;
      };
      const body = header('content-encoding') === 'gzip' ? unpacked(response.body) : response.body;
      const text = await bounded(body, status < 400 ? ANSWER_BYTES_MAX : ERROR_BYTES_MAX);
      return { status, etag: header('etag'), header, text };
    } catch (cause) {
      signal?.throwIfAborted();
      if (cause instanceof ControlPlaneError) throw cause;
      const reason = deadline.aborted ? `no answer within ${timeoutMs / 1000} s` : textOf(cause);
      throw new ControlPlaneError('unreachable', `${method} ${pathOf(url)}: ${reason}`, { cause });
    }
  }

  async function ask<T>(
    method: Dispatcher.HttpMethod,
    url: string,
    expected: readonly number[],
    schema: z.ZodType<T> | undefined,
    options: CallOptions = {},
  ) {
    const answer = await call(method, url, options);
    const where = `${method} ${pathOf(url)}`;
    if (!expected.includes(answer.status)) {
      const fault = answer.status >= 500 || answer.status === 429 ? 'unreachable' : answer.status >= 400 ? 'refused' : 'unreadable';
      throw new ControlPlaneError(fault, `${where}: ${answer.status}${problemOf(answer.text)}`, { status: answer.status });
    }
    return { ...answer, value: schema && answer.status !== 304 ? read(schema, answer.text, where) : undefined };
  }

  async function fetched<T>(method: Dispatcher.HttpMethod, url: string, schema: z.ZodType<T>, options: CallOptions = {}): Promise<T> {
    const { value } = await ask(method, url, [200], schema, options);
    if (value === undefined) throw new ControlPlaneError('unreadable', `${method} ${pathOf(url)}: no body`);
    return value;
  }

  return { call, ask, fetched, close: () => dispatcher.close() };
}

/** Unpacks it as it is read, so that no more is unpacked than is taken. */
const unpacked = (body: Readable): AsyncIterable<Uint8Array> => pipeline(body, createGunzip(), () => {});

async function bounded(body: AsyncIterable<Uint8Array>, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) throw new ControlPlaneError('unreadable', `the answer has more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function read<T>(schema: z.ZodType<T>, text: string, where: string): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ControlPlaneError('unreadable', `${where}: the answer is not JSON`, { cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ControlPlaneError('unreadable', `${where}: the answer is not what was asked for: ${issue?.path.join('.')}: ${issue?.message}`);
}

function problemOf(text: string): string {
  try {
    const problem = Problem.safeParse(JSON.parse(text));
    return problem.success ? ` ${problem.data.message.slice(0, 300)}` : '';
  } catch {
    return '';
  }
}

export const pathOf = (url: string): string => new URL(url).pathname;

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || ('code' in error ? String(error.code) : error.name);
}
