import type { HttpResult } from './http-event.ts';
import type { RequestFacts } from './request-facts.ts';

/** Web pages of these origins may call the API; a lone `*` allows any. */
export type CorsOrigins = readonly string[];

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';
const HEADERS = 'Authorization, Content-Type, If-None-Match';
const EXPOSED = 'ETag, Retry-After, X-Next-Cursor, X-Request-Id';
const MAX_AGE_SECONDS = 3600;

/** The headers that let this caller's page read the answer; none for other origins and for callers that are not browsers. */
export function corsHeaders({ headers: { origin } }: RequestFacts, origins: CorsOrigins): Record<string, string> {
  if (origin === undefined) return {};
  if (origins.includes('*')) return { 'access-control-allow-origin': '*', 'access-control-expose-headers': EXPOSED };
  // The answer depends on the origin, so caches must keep the answers apart.
  if (!origins.includes(origin)) return { vary: 'Origin' };
  return { 'access-control-allow-origin': origin, 'access-control-expose-headers': EXPOSED, vary: 'Origin' };
}

/** The answer to OPTIONS, which needs no key: a browser asks before it sends one. */
export const preflight = (allowedHeaders = HEADERS): HttpResult => ({
  statusCode: 200,
  headers: {
    'access-control-allow-methods': METHODS,
    'access-control-allow-headers': allowedHeaders,
    'access-control-max-age': String(MAX_AGE_SECONDS),
  },
  body: '',
});
