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
    path: event.rawPath,
    headers: event.headers,
    ip: http.sourceIp,
    userAgent: http.userAgent,
    log: log.with({ request_id: requestId }),
  };
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
  event.body === undefined ? 0 : event.isBase64Encoded ? Math.floor((event.body.length * 3) / 4) : Buffer.byteLength(event.body);
