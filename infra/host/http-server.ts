import type { IncomingMessage, ServerResponse } from 'node:http';
import { type FastifyInstance, fastify } from 'fastify';
import type { HttpGroup } from '../../functions/registry.ts';
import { AppError } from '../../lib/platform/errors.ts';
import { factsOf, type HttpEvent, type HttpResult } from '../../lib/platform/http/http-event.ts';
import type { HttpFunction, HttpHost } from '../../lib/platform/http/http-function.ts';
import { createRouter } from '../../lib/platform/http/router.ts';
import { readBody } from './http-body.ts';
import { httpEventOf } from './http-event-of.ts';

/** Above the largest body an endpoint takes, so that the endpoint's own limit is the one callers meet. */
export const BODY_LIMIT_BYTES = 3.5 * 1024 * 1024;
const HEADER_LIMIT_BYTES = 16 * 1024;
/** A request must have arrived whole within this time. */
const REQUEST_TIMEOUT_MS = 30_000;
/** A connection on which nothing moves for this long is closed, whatever it waits for. */
const IDLE_TIMEOUT_MS = 60_000;
/** Longer than the usual 60 s of a load balancer in front, so that it is never us who close a connection it is about to use. */
const KEEP_ALIVE_MS = 72_000;
const DRAIN_MS = 5_000;

export interface HttpServerOptions {
  groups: readonly HttpGroup[];
  /** Serves whatever no group's paths match. */
  fallback: HttpFunction;
  app: Pick<HttpHost<unknown, unknown>, 'log' | 'renderError'>;
  trustedProxies: number;
}

/**
 * The HTTP side of the host: makes the Lambda event of each request, calls its group's function and writes the answer. Fastify
 * keeps the connections, their limits and the orderly end; its routing, parsing and serialising are left out, since the functions
 * do those themselves, as they do on AWS.
 */
export function createHttpServer({ groups, fallback, app, trustedProxies }: HttpServerOptions): FastifyInstance {
  const functionFor = functionLookup(groups, fallback);
  let closing = false;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body = await readBody(request, BODY_LIMIT_BYTES);
      const event = httpEventOf(request, body ?? Buffer.alloc(0), trustedProxies);
      const result = body ? await functionFor(event)(event) : tooLarge(event);
      // Nobody may be waiting for the next request on a connection that has no future.
      if (closing) response.setHeader('connection', 'close');
      write(response, result);
    } catch (error) {
      if (request.destroyed && !request.complete) return;
      app.log.error('http_failed', { method: request.method, error });
      if (response.headersSent) response.destroy();
      else write(response, { statusCode: 500, headers: {}, body: '' });
    }
  }

  function tooLarge(event: HttpEvent): HttpResult {
    const error = new AppError('payload_too_large', `the body is larger than ${BODY_LIMIT_BYTES} bytes`);
    return app.renderError(error, factsOf(event, app.log));
  }

  const server = fastify({
    logger: false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: IDLE_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: { maxHeaderSize: HEADER_LIMIT_BYTES, headersTimeout: REQUEST_TIMEOUT_MS },
    // Paths that Fastify's router can't decode are the functions' to refuse.
    frameworkErrors: (_error, request, reply) => {
      reply.hijack();
      void serve(request.raw, reply.raw);
    },
  });
  server.addHook('onRequest', (request, reply) => {
    reply.hijack();
    void serve(request.raw, reply.raw);
  });
  server.addHook('preClose', (done) => {
    closing = true;
    done();
  });
  return server;
}

/** Takes no new connections, lets what has arrived be answered, and ends what is not by then. */
export async function closeHttpServer(server: FastifyInstance): Promise<void> {
  const end = setTimeout(() => server.server.closeAllConnections(), DRAIN_MS);
  await server.close();
  clearTimeout(end);
}

/** The function whose endpoints include the event's path; a wrong method is for that function to refuse. */
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

function write(response: ServerResponse, { statusCode = 200, headers = {}, body = '', isBase64Encoded }: HttpResult): void {
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) response.setHeader(name, String(value));
  }
  response.statusCode = statusCode;
  if (statusCode === 204 || statusCode === 304) response.end();
  else response.end(isBase64Encoded ? Buffer.from(body, 'base64') : body);
}
