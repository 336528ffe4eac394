import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { newId } from '../ids.ts';
import type { Log } from '../log.ts';
import type { RequestFacts } from './endpoint.ts';

/** The one place that knows the shape of API Gateway's HTTP events (payload format 2.0) and their answers. */
export type HttpEvent = APIGatewayProxyEventV2;
export type HttpResult = APIGatewayProxyStructuredResultV2;

export function factsOf(event: HttpEvent, log: Log): RequestFacts {
  const { http, requestId = newId() } = event.requestContext;
  return {
    requestId,
    method: http.method,
    path: pathOf(event),
    headers: event.headers,
    ip: http.sourceIp,
    secure: event.headers['x-forwarded-proto'] === 'https',
    userAgent: http.userAgent,
    log: log.with({ request_id: requestId }),
  };
}

/**
 * The path as it was sent. API Gateway decodes it before we see it, so that a `/` inside a parameter looks like any other; where it
 * has matched a route, the path is put together again from the route and its parameters.
 */
export function pathOf({ rawPath, routeKey, pathParameters }: HttpEvent): string {
  const template = routeKey.split(' ')[1];
  if (template === undefined || !pathParameters) return rawPath;
  return template.replaceAll(/{(\w+)\+?}/g, (_all, name: string) => encodeURIComponent(pathParameters[name] ?? ''));
}

export function queryOf(event: HttpEvent): Record<string, string> {
  // The first of several equal names wins; `__proto__` is a name like any other.
  const query: Record<string, string> = Object.create(null);
  for (const [name, value] of new URLSearchParams(event.rawQueryString)) query[name] ??= value;
  return query;
}

/** The body of an event that carries it. */
export const bodyOf = ({ body, isBase64Encoded }: HttpEvent): Buffer => Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8');

export function mediaTypeOf(event: HttpEvent): string {
  return (event.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** In bytes: the body's own size, or where it isn't here yet, the size that its sender declares; 0 where nobody knows. */
export function bodySizeOf({ body, isBase64Encoded, headers }: HttpEvent): number {
  if (!body) return Number(headers['content-length'] ?? 0) || 0;
  return isBase64Encoded ? Math.floor((body.length * 3) / 4) : Buffer.byteLength(body);
}
