import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** What an upstream does with one request. */
export type Script = (request: UpstreamCall, response: ServerResponse) => unknown;

export interface UpstreamCall {
  path: string;
  headers: IncomingMessage['headers'];
  // biome-ignore lint/suspicious/noExplicitAny: a test's assertions say which members it expects
  body: any;
  text: string;
  /** Resolves when the connection of this request is closed. */
  closed: Promise<void>;
}

export interface ScriptedUpstream {
  url: string;
  /** All requests, in their order. */
  calls: UpstreamCall[];
  /** What is done with the next requests, one after another; the last one is repeated. */
  script(...scripts: Script[]): void;
  close(): Promise<void>;
}

/** A real HTTP server that plays a provider with OpenAI's wire. */
export async function startUpstream(...scripts: Script[]): Promise<ScriptedUpstream> {
  let list = scripts;
  let next = 0;
  const calls: UpstreamCall[] = [];
  const sockets = new Set<Socket>();
  const server = createServer(async (request, response) => {
    const closed = new Promise<void>((resolve) => response.once('close', resolve));
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece);
    const text = Buffer.concat(pieces).toString();
    const call = { path: request.url ?? '', headers: request.headers, body: text === '' ? undefined : JSON.parse(text), text, closed };
    calls.push(call);
    const script = list[Math.min(next++, list.length - 1)];
    await script?.(call, response);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    calls,
    script(...given) {
      list = given;
      next = 0;
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

const USAGE = { prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 };

export const completion = (content: string, more: Record<string, unknown> = {}) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1_700_000_000,
  model: 'gpt-4o-2024-08-06',
  choices: [{ index: 0, message: { role: 'assistant', content, refusal: null }, logprobs: null, finish_reason: 'stop' }],
  usage: USAGE,
  ...more,
});

export const chunk = (delta: Record<string, unknown>, finish_reason: string | null = null, more: Record<string, unknown> = {}) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1_700_000_000,
  model: 'gpt-4o-2024-08-06',
  choices: [{ index: 0, delta, logprobs: null, finish_reason }],
  ...more,
});
export const usageChunk = (usage: Record<string, unknown> = USAGE) => ({ ...chunk({}), choices: [], usage });

export const answers =
  (body: unknown, status = 200, headers: Record<string, string> = {}): Script =>
  (_call, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

export const fails = (status: number, message = 'it broke', headers: Record<string, string> = {}): Script =>
  answers({ error: { message, type: 'server_error', param: null, code: null } }, status, headers);

/** A piece of a stream: an object is sent as an event's data, a text as it is, and a function may wait or end the connection. */
export type Piece = object | string | ((response: ServerResponse) => unknown);

export const streams =
  (...pieces: Piece[]): Script =>
  async (_call, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const piece of pieces) {
      if (typeof piece === 'function') await piece(response);
      else response.write(typeof piece === 'string' ? piece : `data: ${JSON.stringify(piece)}\n\n`);
      if (response.destroyed) return;
    }
    response.end();
  };
export const DONE = 'data: [DONE]\n\n';
export const reset = (response: ServerResponse) => response.socket?.destroy();
/** Leaves the connection open and says nothing. */
export const silence = (): Promise<never> => new Promise(() => {});

/** A usual stream of these texts. */
export const streamsTexts = (...texts: string[]): Script =>
  streams(chunk({ role: 'assistant', content: '' }), ...texts.map((content) => chunk({ content })), chunk({}, 'stop'), usageChunk(), DONE);
