import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type FastifyInstance, fastify } from 'fastify';
import type { HttpGroup } from '../../../functions/registry.ts';
import { type Clock, systemClock } from '../../../lib/platform/clock.ts';
import { AppError } from '../../../lib/platform/errors.ts';
import { type Admitted, tooLarge } from '../../../lib/platform/http/admission.ts';
import { packedAnswer, unpackedSize } from '../../../lib/platform/http/compression.ts';
import { bodySizeOf, type HttpEvent, type HttpResult, isStream } from '../../../lib/platform/http/http-event.ts';
import type { HttpFunction } from '../../../lib/platform/http/http-function.ts';
import { createRouter } from '../../../lib/platform/http/router.ts';
import type { Log } from '../../../lib/platform/log.ts';
import { createBodyBudget } from './body-budget.ts';
import { type Body, discardBody, hasBody, readBody } from './http-body.ts';
import { httpEventOf } from './http-event-of.ts';
import { createRequestsInFlight, type RequestInFlight } from './requests-in-flight.ts';
import { writeAnswer } from './write-answer.ts';

const MIB = 1024 * 1024;
const HEADER_LIMIT_BYTES = 16 * 1024;
/** A request must have arrived whole within this time. */
const REQUEST_TIMEOUT_MS = 30_000;
/** A body must have arrived within this time after the server began to read it. */
const BODY_TIMEOUT_MS = 20_000;
/** Room for about twenty of the largest bodies. While a body is handled, several copies of it are in memory. */
const BODY_BUDGET = { totalBytes: 64 * MIB, callerBytes: 16 * MIB };
const IDLE_TIMEOUT_MS = 60_000;
/** Longer than the usual 60 s of a load balancer in front, so that the server never closes a connection that it is about to use. */
const KEEP_ALIVE_MS = 72_000;
/** At the end, connections get this long to take an answer that is ready or nearly so. */
const DRAIN_MS = 5_000;
/** Answers that may take minutes get this long. An orchestrator usually kills a process 30 s after it has asked it to stop. */
const LONG_DRAIN_MS = 20_000;
/** Streams that had to be abandoned get this long to say so. */
const LAST_WORDS_MS = 1_000;

export interface HttpServerOptions {
  groups: readonly HttpGroup[];
  /** Serves the paths that no group has. */
  fallback: HttpFunction;
  log: Log;
  trustedProxies: number;
  clock?: Clock;
  /** The limits of the bytes of request bodies in flight, for all callers together and for each. */
  bodyBudget?: { totalBytes: number; callerBytes: number } | undefined;
  /** A connection on which nothing moves for this long is closed, unless its answer may take long. */
  idleMs?: number | undefined;
  /** How long the server waits at its end for answers, and for those that may take minutes. */
  drain?: { ms: number; longMs: number } | undefined;
}

export interface HttpServer {
  /** Resolves to the address. */
  listen(address: { host: string; port: number }): Promise<string>;
  /**
   * Takes no new connections and answers the requests that have arrived. Streams and other long answers get longer than the rest; those
   * that are still running then are told by their signals, and may end with words.
   */
  close(): Promise<void>;
}

/**
 * The HTTP server of the host. It makes a Lambda event of each request's head, asks the group's function for admission, reads the body if
 * the function admits the request, and writes the answer. Fastify handles connections, their limits and the orderly end. Its routing,
 * parsing and serialising are not used, since the functions do that themselves, as on AWS.
 */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { groups, fallback, log, trustedProxies, clock = systemClock, drain = { ms: DRAIN_MS, longMs: LONG_DRAIN_MS } } = options;
  const functionFor = functionLookup(groups, fallback);
  const budget = createBodyBudget(options.bodyBudget ?? BODY_BUDGET);
  let closing = false;

  /** `waits`: the client sends its body only after the answer 100 (Continue). */
  async function serve(request: IncomingMessage, response: ServerResponse, { waits }: { waits: boolean }): Promise<void> {
    const flight = inFlight.add(request, response);
    try {
      if (request.httpVersion === '1.1' && request.headers.host === undefined) return await writeAnswer(response, WITHOUT_HOST, log);
      const head = httpEventOf(request, trustedProxies);
      const admission = await functionFor(head).admit(head, flight.signal);
      let bodyComes = !waits;
      const askForBody = () => {
        if (!bodyComes) response.writeContinue();
        bodyComes = true;
      };
      const result = admission.kind === 'answered' ? admission.result : await complete(request, head, admission, flight, askForBody);
      if (bodyComes) await discardBody(request, clock);
      // While shutting down, or if an unread body is still arriving, tell the client not to reuse the connection.
      if (closing || (hasBody(request) && !request.complete)) response.setHeader('connection', 'close');
      if (isStream(result.body)) flight.takesLong();
      await writeAnswer(response, await packedAnswer(result, head.headers['accept-encoding']), log);
    } catch (error) {
      log.error('http_failed', { method: request.method, error });
      if (response.headersSent) response.destroy();
      else await writeAnswer(response, { statusCode: 500, headers: {}, body: '' }, log);
    } finally {
      flight.end();
    }
  }

  async function complete(
    request: IncomingMessage,
    head: HttpEvent,
    admitted: Admitted,
    flight: RequestInFlight,
    askForBody: () => void,
  ): Promise<HttpResult> {
    const { bodyLimitBytes, isPacked, caller, refuse, longRunning } = admitted;
    const chunked = request.headers['transfer-encoding'] !== undefined;
    const room = budget.reserve(caller, chunked || isPacked ? bodyLimitBytes : bodySizeOf(head));
    if (!room) return refuse(noRoom());
    try {
      askForBody();
      const body = await readBody(request, { bytes: bodyLimitBytes, timeoutMs: BODY_TIMEOUT_MS }, clock);
      if (body.kind !== 'whole') return refuse(failureOf(body, bodyLimitBytes));
      // A sender that declares no size got room for the largest body. The answer may take minutes.
      room.shrinkTo(body.bytes.length + (isPacked ? Math.min(unpackedSize(body.bytes), bodyLimitBytes) : 0));
      if (longRunning) flight.takesLong();
      return await admitted.complete(body.bytes);
    } finally {
      room.release();
    }
  }

  const server = fastify({
    logger: false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: options.idleMs ?? IDLE_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: { maxHeaderSize: HEADER_LIMIT_BYTES, headersTimeout: REQUEST_TIMEOUT_MS, requireHostHeader: false },
    clientErrorHandler: refuseMalformed,
  });
  const inFlight = createRequestsInFlight(server.server);
  // Fastify's own handling would route each request once more, and refuses paths that its router can't decode.
  server.server.removeAllListeners('request');
  server.server.on('request', (request, response) => void serve(request, response, { waits: false }));
  server.server.on('checkContinue', (request, response) => void serve(request, response, { waits: true }));
  // Any other expectation: Node would refuse it without our headers and log line.
  server.server.on('checkExpectation', (request, response) => void serve(request, response, { waits: false }));
  server.addHook('preClose', (done) => {
    closing = true;
    done();
  });
  return {
    listen: (address) => server.listen(address),
    async close() {
      const done = new AbortController();
      const after = (ms: number, act: () => void) => clock.sleep(ms, done.signal).then(act, () => {});
      void after(drain.ms, inFlight.closeOthers);
      void after(drain.longMs, inFlight.abandon);
      void after(drain.longMs + LAST_WORDS_MS, () => server.server.closeAllConnections());
      await server.close();
      done.abort();
    },
  };
}

const noRoom = () =>
  new AppError('unavailable', 'too many request bodies are in flight; try again', { code: 'overloaded', retryAfterSeconds: 1 });

function failureOf(body: Exclude<Body, { kind: 'whole' }>, limitBytes: number): AppError {
  switch (body.kind) {
    case 'too-large':
      return tooLarge(limitBytes);
    case 'too-slow':
      return new AppError('timeout', `the body did not arrive within ${BODY_TIMEOUT_MS / 1000} seconds`, { code: 'request_timeout' });
    case 'gone':
      return new AppError('bad_request', 'the connection was closed before the whole body arrived', { code: 'request_aborted' });
  }
}

/** Finds the function whose endpoints have the event's path. That function refuses a wrong method. */
function functionLookup(groups: readonly HttpGroup[], fallback: HttpFunction): (event: HttpEvent) => HttpFunction {
  const route = createRouter(groups.flatMap(({ endpoints }) => endpoints));
  const byEndpoint = new Map(groups.flatMap(({ endpoints, handler }) => endpoints.map((endpoint) => [endpoint, handler] as const)));
  const routers = groups.map(({ endpoints, handler }) => ({ owns: createRouter(endpoints), handler }));
  return ({ rawPath, requestContext: { http } }) => {
    const match = route(http.method, rawPath);
    if (match.kind === 'endpoint') return byEndpoint.get(match.endpoint) ?? fallback;
    if (match.kind === 'not-found') return fallback;
    return routers.find(({ owns }) => owns(http.method, rawPath).kind !== 'not-found')?.handler ?? fallback;
  };
}

const MALFORMED: Readonly<Record<string, readonly [status: number, code: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'headers_too_large', `the request's headers are larger than ${HEADER_LIMIT_BYTES} bytes`],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'request_timeout', `the request did not arrive within ${REQUEST_TIMEOUT_MS / 1000} seconds`],
};

const malformedBody = (code: string, message: string): string => JSON.stringify({ code, message, error: message });

const WITHOUT_HOST: HttpResult = {
  statusCode: 400,
  headers: { 'content-type': 'application/json', 'x-content-type-options': 'nosniff', connection: 'close' },
  body: malformedBody('malformed_request', 'the request has no Host header'),
};

/** Answers bytes that are not HTTP. They make no request, so that no function sees them. */
function refuseMalformed(this: FastifyInstance, error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const [status, code, message] = MALFORMED[error.code ?? ''] ?? [400, 'malformed_request', 'the request is not valid HTTP/1.1'];
  if (!socket.writable) return void socket.destroy(error);
  const body = malformedBody(code, message);
  const headers = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'X-Content-Type-Options: nosniff',
    'Connection: close',
  ];
  socket.write(`${headers.join('\r\n')}\r\n\r\n${body}`);
  socket.destroySoon();
}
