import { AppError, isAppError } from '../errors.ts';
import { unpackedBody } from './compression.ts';
import { preflight } from './cors.ts';
import { type AnyEndpoint, type Context, isReply, type Reply } from './endpoint.ts';
import { type Exchange, openExchange } from './exchange.ts';
import { bodySizeOf, type HttpEvent, type HttpResult, mediaTypeOf, pathOf, queryOf } from './http-event.ts';
import { DEFAULT_BODY_LIMIT_BYTES, jsonBody } from './request-body.ts';
import type { RequestFacts } from './request-facts.ts';
import { responseText } from './response-body.ts';
import type { Match } from './router.ts';
import type { AnySurface } from './surface.ts';
import { parseInput } from './validation.ts';

/** The outcome of a request's head: it is answered already, or its body may be read. */
export type Admission = { kind: 'answered'; result: HttpResult } | Admitted;

export interface Admitted {
  kind: 'admitted';
  /** Names the principal, for limits per caller. */
  caller: string;
  bodyLimitBytes: number;
  /** The body is compressed, so that its size says nothing about the memory that it needs. */
  isPacked: boolean;
  /** The answer may take minutes to begin. */
  longRunning: boolean;
  complete(body: Buffer): Promise<HttpResult>;
  /** Answers a request whose body could not be read. */
  refuse(error: AppError): HttpResult;
}

type Route = (method: string, path: string) => Match;

/** Checks route, size, credentials, limits, path, rights and query, in this order, before the body is read. */
export async function admitRequest(route: Route, fallback: AnySurface, head: HttpEvent, signal?: AbortSignal): Promise<Admission> {
  const match = route(head.requestContext.http.method, pathOf(head));
  const surface = surfaceOf(match) ?? fallback;
  const exchange = openExchange(surface, match, head, signal);
  const { request } = exchange;
  try {
    if (request.method === 'OPTIONS') return answered(exchange.finish(preflight(request, surface)));
    switch (match.kind) {
      case 'not-found':
        await surface.limit?.(request, {});
        return answered(exchange.finish(surface.notFound(request)));
      case 'method-not-allowed': {
        checkSize(head, DEFAULT_BODY_LIMIT_BYTES);
        const principal = match.authenticated ? await authenticated(surface, request) : undefined;
        if (principal !== undefined) exchange.nameCaller(principal);
        await surface.limit?.(request, { principal });
        const refusal = surface.methodNotAllowed(request);
        return answered(exchange.finish({ ...refusal, headers: { allow: match.allow.join(', '), ...refusal.headers } }));
      }
      case 'endpoint':
        return await admitTo(match.endpoint, match.params, exchange, head);
    }
  } catch (error) {
    return answered(await exchange.refuse(error));
  }
}

const answered = (result: HttpResult): Admission => ({ kind: 'answered', result });

function surfaceOf(match: Match): AnySurface | undefined {
  if (match.kind === 'endpoint') return match.endpoint.surface;
  return match.kind === 'method-not-allowed' ? match.surface : undefined;
}

async function admitTo(endpoint: AnyEndpoint, rawParams: Record<string, string>, exchange: Exchange, head: HttpEvent): Promise<Admission> {
  const { surface, access, bodyLimitBytes = DEFAULT_BODY_LIMIT_BYTES } = endpoint;
  const { request } = exchange;
  checkSize(head, bodyLimitBytes);
  const principal = access === 'public' ? undefined : await authenticated(surface, request);
  const caller = principal === undefined ? { type: 'anyone' } : exchange.nameCaller(principal);
  await surface.limit?.(request, { principal, endpoint });
  const params = endpoint.params && parseInput(endpoint.params, rawParams, 'path', surface.invalid);
  if (access !== 'public') access.check(principal, rawParams);
  const context: Context<unknown, unknown> = { services: await surface.services(), principal, request };
  const authorized = await endpoint.authorize?.(context, { params });
  const rawQuery = queryOf(head);
  const query = endpoint.query && parseInput(endpoint.query, rawQuery, 'query', surface.invalid);
  const handle = async (body: unknown) => toResult(endpoint, await endpoint.handle(context, { params, query, body, authorized }), request);
  if (!endpoint.body) return answered(exchange.finish(await handle(undefined)));
  const isPacked = packs(head);

  const decode = async (packed: Buffer) => {
    const bytes = isPacked ? await unpackedBody(packed, bodyLimitBytes) : packed;
    const value = (endpoint.bodyFormat ?? jsonBody).decode({ bytes, mediaType: mediaTypeOf(head), query: rawQuery });
    return parseInput(endpoint.body, value, 'body', surface.invalid);
  };
  return {
    kind: 'admitted',
    caller: `${caller.type} ${caller.id ?? ''}`,
    bodyLimitBytes,
    isPacked,
    longRunning: endpoint.longRunning === true,
    complete: async (bytes) => {
      try {
        return exchange.finish(await handle(await decode(bytes)));
      } catch (error) {
        return await exchange.refuse(error);
      }
    },
    refuse: exchange.fail,
  };
}

/** The caller. A request without valid credentials counts too, since it may be one of many that try keys. */
async function authenticated(surface: AnySurface, request: RequestFacts): Promise<unknown> {
  try {
    return await surface.authenticate(request);
  } catch (error) {
    if (isAppError(error) && error.kind === 'unauthenticated') await surface.limit?.(request, {});
    throw error;
  }
}

function checkSize(head: HttpEvent, limitBytes: number): void {
  if (bodySizeOf(head) > limitBytes) throw tooLarge(limitBytes);
}

function packs({ headers }: HttpEvent): boolean {
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'gzip') return true;
  if (encoding === 'identity') return false;
  throw new AppError('unsupported_media_type', 'the Content-Encoding must be gzip or identity');
}

export const tooLarge = (limitBytes: number): AppError => new AppError('payload_too_large', `the body is larger than ${limitBytes} bytes`);

async function toResult(endpoint: AnyEndpoint, value: unknown, request: RequestFacts): Promise<HttpResult> {
  const {
    status = endpoint.status,
    headers = {},
    body,
    text,
    bytes,
    stream,
    onEnd,
    meta,
  } = isReply(value) ? value : ({ body: value } as Reply);
  const ending = onEnd && { onEnd };
  const ready = stream ?? bytes ?? text;
  if (ready !== undefined) return { statusCode: status, headers, body: ready, ...ending };
  if (endpoint.response === undefined || body === undefined) return { statusCode: status, headers, body: '', ...ending };
  const result = endpoint.surface.renderSuccess(status, await responseText(endpoint.response, body), request, meta);
  return { ...result, headers: { ...result.headers, ...headers }, ...ending };
}
