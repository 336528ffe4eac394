import { ConditionFailed } from '../database/database.ts';
import { AppError } from '../errors.ts';
import { createLog } from '../log.ts';
import { corsHeaders } from './cors.ts';
import type { AnyEndpoint } from './endpoint.ts';
import { factsOf, type HttpEvent, type HttpResult, isStream } from './http-event.ts';
import type { RequestFacts } from './request-facts.ts';
import type { Match } from './router.ts';
import type { AnySurface, SurfaceBase } from './surface.ts';

/** One request and its answer. Every answer passes through here, and gets the common headers, a log line and a count in the metrics. */
export interface Exchange {
  request: RequestFacts;
  /** Makes the log line name this caller, and the surface's headers know it. Returns its name. */
  nameCaller(principal: unknown): { type: string; id?: string };
  /** Makes an endpoint's result the answer. The log line of a stream is written at its end. */
  finish(result: HttpResult): HttpResult;
  /** Answers a failure as the surface renders it. */
  fail(error: unknown): HttpResult;
  /** The same for a failure of which the surface learns. */
  refuse(error: unknown): Promise<HttpResult>;
}

/** One year. */
const HSTS = 'max-age=31536000';

export function openExchange(surface: AnySurface, match: Match, event: HttpEvent, signal?: AbortSignal): Exchange {
  const started = performance.now();
  const { base, unusable } = baseOf(surface);
  const request = factsOf(event, base.log, signal, surface.requestId?.(event.headers));
  let principal: unknown;
  let caller: { type: string; id?: string } | undefined;

  function finish(result: HttpResult): HttpResult {
    result.headers = { ...commonHeaders(surface, request, principal, unusable), ...request.answerHeaders, ...result.headers };
    if (request.method === 'HEAD') result.body = '';
    const { body, statusCode, onEnd } = result;
    if (!isStream(body)) {
      record(statusCode, Buffer.byteLength(body));
      return result;
    }
    result.onEnd = async ({ outcome, bytes }) => {
      try {
        await onEnd?.({ outcome, bytes });
      } finally {
        record(statusCode, bytes, outcome);
      }
    };
    return result;
  }

  function record(status: number, bytes: number, outcome?: string): void {
    const seconds = (performance.now() - started) / 1000;
    base.observe?.({ route: routeOf(match), method: request.method, status, seconds });
    // Most of the traffic are idle polls, and nobody needs a line for each.
    base.log[status === 304 ? 'debug' : 'info']('http_request', {
      request_id: request.requestId,
      surface: surface.name,
      method: request.method,
      ...(match.kind === 'endpoint' ? { endpoint: match.endpoint.id, route: match.endpoint.path } : { route: UNMATCHED }),
      ...(caller && { principal: caller }),
      ip: request.ip,
      status,
      ms: Math.round(seconds * 10_000) / 10,
      bytes,
      ...(outcome !== undefined && { outcome }),
      ...request.noted,
    });
  }

  const fail = (thrown: unknown): HttpResult => answer(visible(thrown, request));

  async function refuse(thrown: unknown): Promise<HttpResult> {
    const error = visible(thrown, request);
    await surface.refused?.(error, request, { principal, endpoint: match.kind === 'endpoint' ? match.endpoint : undefined });
    return answer(error);
  }

  function answer(error: AppError): HttpResult {
    const result = surface.renderError(error, request);
    if (error.retryAfterSeconds !== undefined) result.headers = { 'retry-after': String(error.retryAfterSeconds), ...result.headers };
    return finish(result);
  }

  return {
    request,
    nameCaller(known) {
      principal = known;
      caller = surface.describe(known);
      return caller;
    },
    finish,
    fail,
    refuse,
  };
}

const UNMATCHED = 'unmatched';
const routes = new WeakMap<AnyEndpoint, string>();
/** The endpoint's path as metrics know it. */
function routeOf(match: Match): string {
  if (match.kind !== 'endpoint') return UNMATCHED;
  const route = routes.get(match.endpoint) ?? match.endpoint.path.replace(/{\w+}/g, ':id');
  routes.set(match.endpoint, route);
  return route;
}

/** With a wrong configuration a function must still answer, if only to say that it can't work. */
function baseOf(surface: AnySurface): { base: SurfaceBase; unusable: boolean } {
  try {
    return { base: surface.base(), unusable: false };
  } catch {
    return { base: { log: createLog() }, unusable: true };
  }
}

function commonHeaders(surface: AnySurface, request: RequestFacts, principal: unknown, unusable: boolean): Record<string, string> {
  return {
    'x-request-id': request.requestId,
    'x-content-type-options': 'nosniff',
    ...(request.secure && { 'strict-transport-security': HSTS }),
    ...surface.headers(request, principal),
    ...(unusable ? {} : corsHeaders(request, surface.cors(), surface)),
  };
}

/** The failure as the caller may see it. An unknown one is logged whole, and the caller learns only that the fault is ours. */
function visible(error: unknown, { log, method, path, requestId }: RequestFacts): AppError {
  if (error instanceof AppError) {
    const { kind, code, message, cause } = error;
    // Without a cause it is a rule's own answer, such as that no provider may be asked now.
    if (kind === 'unavailable' && cause === undefined) log.warn('request_unavailable', { method, path, code, message });
    else if (kind === 'internal' || kind === 'unavailable') log.error('request_failed', { method, path, error });
    return error;
  }
  // Another caller was faster, and the verb neither tried again nor named what is gone.
  if (error instanceof ConditionFailed) {
    log.error('concurrent_change', { method, path, error });
    return new AppError('unavailable', 'other callers changed the same records; try again', { retryAfterSeconds: 1 });
  }
  log.error('request_failed', { method, path, error });
  return new AppError('internal', `internal error (request ${requestId})`, { code: 'internal_error' });
}
