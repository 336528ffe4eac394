import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { newId } from '../ids.ts';
import type { Log } from '../log.ts';
import type { RequestFacts } from './request-facts.ts';

/** The one place that knows the shape of API Gateway's HTTP events (payload format 2.0); `lambda-answer.ts` knows their answers. */
export type HttpEvent = APIGatewayProxyEventV2;

/** An answer, on its way to whichever server calls the function. */
export interface HttpResult {
  statusCode: number;
  headers: Record<string, string>;
  /** A stream is written piece by piece, and the next piece is asked for when the caller has taken the one before. */
  body: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** The server calls this once, when the answer is over in one way or the other. */
  onEnd?(end: AnswerEnd): void | Promise<void>;
}

/** How an answer ended. `failed`: its stream threw an error, which was logged, and the connection was destroyed. */
export interface AnswerEnd {
  outcome: 'complete' | 'client_closed' | 'failed';
  /** The bytes of the body that were handed to the connection. */
  bytes: number;
}

export const isStream = (body: HttpResult['body']): body is AsyncIterable<Uint8Array> =>
  typeof body !== 'string' && !(body instanceof Uint8Array);

/** `signal`: aborted when nobody waits for the answer any more; never, if absent. */
export function factsOf(event: HttpEvent, log: Log, signal: AbortSignal = new AbortController().signal, givenId?: string): RequestFacts {
  const { http } = event.requestContext;
  let bound: Log | undefined;
  const requestId = givenId ?? event.requestContext.requestId ?? newId();
  return {
    requestId,
    method: http.method,
    path: pathOf(event),
    headers: event.headers,
    ip: http.sourceIp,
    secure: event.headers['x-forwarded-proto'] === 'https',
    userAgent: http.userAgent,
    // Most requests log nothing but their one line, which needs no log of its own.
    get log() {
      bound ??= log.with({ request_id: requestId });
      return bound;
    },
    signal,
    answerHeaders: {},
    noted: {},
  };
}

/**
 * The path as it was sent. API Gateway decodes it, so that a `/` inside a parameter looks like a separator. If API Gateway matched a
 * route, the path is built again from the route and its parameters: `{below+}` is several segments, every other parameter is one.
 */
export function pathOf({ rawPath, routeKey, pathParameters }: HttpEvent): string {
  const template = routeKey.split(' ')[1];
  if (template === undefined || !pathParameters) return rawPath;
  return template.replaceAll(/{(\w+)\+?}/g, (_all, name: string) => {
    const value = pathParameters[name] ?? '';
    return name === 'below' ? value.split('/').map(encodeURIComponent).join('/') : encodeURIComponent(value);
  });
}

export function queryOf(event: HttpEvent): Record<string, string> {
  // The first of several equal names wins. Without a prototype, `__proto__` is a name like any other.
  const query: Record<string, string> = Object.create(null);
  if (event.rawQueryString !== '') for (const [name, value] of new URLSearchParams(event.rawQueryString)) query[name] ??= value;
  return query;
}

/** The body of an event that carries it. */
export const bodyOf = ({ body, isBase64Encoded }: HttpEvent): Buffer => Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8');

export function mediaTypeOf(event: HttpEvent): string {
  return (event.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** The body's size in bytes. If the body isn't here yet, it is the size that its sender declares, or 0 if it declares none. */
export function bodySizeOf({ body, isBase64Encoded, headers }: HttpEvent): number {
  if (!body) return Number(headers['content-length'] ?? 0) || 0;
  return isBase64Encoded ? Math.floor((body.length * 3) / 4) : Buffer.byteLength(body);
}
