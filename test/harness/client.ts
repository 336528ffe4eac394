import { Agent, request } from 'undici';
import * as z from 'zod';

/** The answer to a request. */
export interface Answer {
  status: number;
  /** Lower-case names. */
  headers: Record<string, string>;
  /** The parsed body; undefined if it is not JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: a test's assertions say which type it expects
  body: any;
  text: string;
}

export interface Call {
  /** Headers whose value is undefined are left out. */
  headers?: Record<string, string | undefined>;
  /** Sends the body, a text or bytes, unchanged, with this content type or, if null, with none. Other bodies are sent as JSON. */
  contentType?: string | null;
}

export interface Api {
  get(path: string, call?: Call): Promise<Answer>;
  head(path: string, call?: Call): Promise<Answer>;
  post(path: string, body?: unknown, call?: Call): Promise<Answer>;
  put(path: string, body?: unknown, call?: Call): Promise<Answer>;
  patch(path: string, body?: unknown, call?: Call): Promise<Answer>;
  delete(path: string, body?: unknown, call?: Call): Promise<Answer>;
  send(method: string, path: string, body?: unknown, call?: Call): Promise<Answer>;
  /** Returns a client of the same server with another key; undefined means without a key. */
  as(pak: string | undefined): Api;
}

const dispatcher = new Agent({ keepAliveTimeout: 1_000, connections: 64 });

/** A client for tests: `api(url, pak).get('/agents')` requests `<url>/api/v1/agents`. It resolves for every status. */
export function api(url: string, pak?: string, base = '/api/v1'): Api {
  async function send(method: string, path: string, value?: unknown, { headers, contentType }: Call = {}): Promise<Answer> {
    const asItIs = contentType !== undefined;
    const type = asItIs ? contentType : value === undefined ? null : 'application/json';
    const all = { ...(pak !== undefined && { authorization: pak }), ...(type !== null && { 'content-type': type }), ...headers };
    const body = value === undefined ? null : asItIs ? BodyAsItIs.parse(value) : JSON.stringify(value);
    const response = await request(`${url}${base}${path}`, {
      method,
      headers: Object.fromEntries(Object.entries(all).filter((header): header is [string, string] => header[1] !== undefined)),
      body,
      dispatcher,
    });
    const text = await response.body.text();
    const received = Object.entries(response.headers).map(([name, header]) => [name, String(header)]);
    return { status: response.statusCode, headers: Object.fromEntries(received), text, body: parsed(text) };
  }
  return {
    send,
    get: (path, call) => send('GET', path, undefined, call),
    head: (path, call) => send('HEAD', path, undefined, call),
    post: (path, body, call) => send('POST', path, body, call),
    put: (path, body, call) => send('PUT', path, body, call),
    patch: (path, body, call) => send('PATCH', path, body, call),
    delete: (path, body, call) => send('DELETE', path, body, call),
    as: (other) => api(url, other, base),
  };
}

const BodyAsItIs = z.union([z.string(), z.instanceof(Uint8Array)]);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
