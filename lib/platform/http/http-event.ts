import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { newId } from '../ids.ts';
import type { Log } from '../log.ts';
import type { RawBody, RequestFacts } from './endpoint.ts';

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
    userAgent: http.userAgent,
    log: log.with({ request_id: requestId }),
  };
}

/**
 * The path as it was sent. API Gateway decodes it before we see it, so that a `/` inside a parameter looks like any other; where it
 * has matched a route, the path is put together again from the route and its parameters.
 */
function pathOf({ rawPath, routeKey, pathParameters }: HttpEvent): string {
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

export function rawBodyOf(event: HttpEvent, query: RawBody['query']): RawBody {
  const bytes = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  const mediaType = (event.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  return { bytes, mediaType, query };
}

export const bodySizeOf = (event: HttpEvent): number =>
  !event.body ? 0 : event.isBase64Encoded ? Math.floor((event.body.length * 3) / 4) : Buffer.byteLength(event.body);
