import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { newId } from '../ids.ts';
import type { Log } from '../log.ts';
import type { RequestFacts } from './request-facts.ts';

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
  for (const [name, value] of new URLSearchParams(event.rawQueryString)) query[name] ??= value;
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
