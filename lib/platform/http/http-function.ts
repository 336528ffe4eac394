import middy from '@middy/core';
import { ConditionFailed } from '../database/database.ts';
import { AppError } from '../errors.ts';
import { createLog, type Log } from '../log.ts';
import { type CorsOrigins, corsHeaders, preflight } from './cors.ts';
import { type AnyEndpoint, type Context, isReply, type RequestFacts } from './endpoint.ts';
import { bodySizeOf, factsOf, type HttpEvent, type HttpResult, queryOf, rawBodyOf } from './http-event.ts';
import { DEFAULT_BODY_LIMIT_BYTES, jsonBody } from './request-body.ts';
import { createRouter, type Match } from './router.ts';
import { parseInput } from './validation.ts';

/** What an HTTP function needs of the product around it. */
export interface HttpHost<Services, Principal> {
  services: Services;
  log: Log;
  corsOrigins: CorsOrigins;
  /** Turns credentials into a principal, or throws `unauthenticated`. */
  authenticate(request: RequestFacts): Promise<Principal>;
  /** How a failure looks on this surface's wire. */
  renderError(error: AppError, request: RequestFacts): HttpResult;
  /** Told of every answer; `route` is the endpoint's path with `:id` for its parameters, or `unmatched`. */
  observe(answer: { route: string; method: string; status: number; seconds: number }): void;
}

export type HttpFunction = (event: HttpEvent, context?: unknown) => Promise<HttpResult>;

const UNMATCHED = 'unmatched';
const routeOf = (match: Match) => (match.kind === 'endpoint' ? match.endpoint.path.replace(/{\w+}/g, ':id') : UNMATCHED);

/** A Lambda handler that serves these endpoints. `host` is asked for once a call, so that importing a function composes nothing. */
export function httpFunction<Services, Principal>(
  endpoints: readonly AnyEndpoint<Services, Principal>[],
  host: () => Promise<HttpHost<Services, Principal>>,
): HttpFunction {
  const route = createRouter(endpoints);

  const dispatch = async (event: HttpEvent): Promise<HttpResult> => {
    const started = performance.now();
    let at: HttpHost<Services, Principal>;
    try {
      at = await host();
    } catch (error) {
      return notReady(error);
    }
    const request = factsOf(event, at.log);
    if (request.method === 'OPTIONS') return preflight(event, at.corsOrigins);
    const match = route(request.method, request.path);
    let result: HttpResult;
    try {
      result = await answer(at, match, request, event);
    } catch (error) {
      result = at.renderError(visible(error, request), request);
    }
    const seconds = (performance.now() - started) / 1000;
    at.observe({ route: routeOf(match), method: request.method, status: result.statusCode ?? 200, seconds });
    result.headers = { 'x-request-id': request.requestId, ...corsHeaders(event, at.corsOrigins), ...result.headers };
    if (request.method === 'HEAD') result.body = '';
    return result;
  };
  const handler = middy<HttpEvent, HttpResult>().handler(dispatch as never);
  return (event, context) => handler(event, context as never) as Promise<HttpResult>;
}

async function answer<Services, Principal>(
  at: HttpHost<Services, Principal>,
  match: Match,
  request: RequestFacts,
  event: HttpEvent,
): Promise<HttpResult> {
  if (match.kind === 'not-found') return text(404, 'not found');
  // Size before credentials, credentials before anything that depends on the path or parses the body.
  const limit = (match.kind === 'endpoint' && match.endpoint.bodyLimitBytes) || DEFAULT_BODY_LIMIT_BYTES;
  if (bodySizeOf(event) > limit) throw new AppError('payload_too_large', `the body is larger than ${limit} bytes`);
  if (match.kind === 'method-not-allowed') {
    if (match.authenticated) await at.authenticate(request);
    return { statusCode: 405, headers: { allow: match.allow.join(', ') }, body: '' };
  }
  const { endpoint } = match;
  const principal = endpoint.access === 'public' ? (undefined as Principal) : await at.authenticate(request);
  const params = endpoint.params ? parseInput(endpoint.params, match.params, 'path', 'bad_request') : undefined;
  if (endpoint.access !== 'public') endpoint.access.check(principal, match.params);
  const context: Context<Services, Principal> = { services: at.services, principal, request };
  await endpoint.admit?.(context, { params });
  const rawQuery = queryOf(event);
  const query = endpoint.query ? parseInput(endpoint.query, rawQuery, 'query', 'bad_request') : undefined;
  const body = endpoint.body ? decodeBody(endpoint, event, rawQuery) : undefined;
  return toResult(endpoint, await endpoint.handle(context, { params, query, body }));
}

function decodeBody(endpoint: AnyEndpoint, event: HttpEvent, query: Record<string, string>): unknown {
  const value = (endpoint.bodyFormat ?? jsonBody).decode(rawBodyOf(event, query));
  return parseInput(endpoint.body, value, 'body', 'unprocessable');
}

function toResult(endpoint: AnyEndpoint, value: unknown): HttpResult {
  const { status = endpoint.status, headers = {}, body, text: plain } = isReply(value) ? value : { body: value };
  if (plain !== undefined) return { statusCode: status, headers, body: plain };
  if (endpoint.response === undefined || body === undefined) return { statusCode: status, headers, body: '' };
  return json(status, endpoint.response.parse(body), headers);
}

export const json = (statusCode: number, body: unknown, headers: Record<string, string> = {}): HttpResult => ({
  statusCode,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

export const text = (statusCode: number, body: string, headers: Record<string, string> = {}): HttpResult => ({
  statusCode,
  headers: { 'content-type': 'text/plain; charset=utf-8', ...headers },
  body,
});

/** Nothing can be asked yet: the store is away, or nobody has set it up so far. Callers that wait a little find it. */
function notReady(error: unknown): HttpResult {
  createLog({ level: 'error' }).error('not_ready', { error });
  const message = 'the service is not ready yet; try again in a few seconds';
  return json(503, { code: 'unavailable', message, error: message }, { 'retry-after': '5' });
}

/** Unknown failures are logged whole, and told to the caller only as what they are: ours. */
function visible(error: unknown, request: RequestFacts): AppError {
  if (error instanceof AppError) {
    if (error.status >= 500) request.log.error('request_failed', { code: error.code, error });
    return error;
  }
  // Somebody else was faster, and the verb had no better answer to that.
  if (error instanceof ConditionFailed) {
    request.log.warn('concurrent_change', { method: request.method, path: request.path, error });
    return new AppError('conflict', 'something was changed by others at the same time; try again', { code: 'concurrent_change' });
  }
  request.log.error('request_failed', { method: request.method, path: request.path, error });
  return new AppError('internal', `internal error (request ${request.requestId})`, { code: 'internal_error' });
}
