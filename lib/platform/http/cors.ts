import type { HttpResult } from './http-event.ts';
import type { RequestFacts } from './request-facts.ts';

/** Web pages of these origins may call the API; a lone `*` allows any. */
export type CorsOrigins = readonly string[];

/** What the pages of allowed origins may send and read. Lists are separated by commas. */
export interface CorsRules {
  /** Request headers. A name that ends in `*` stands for all names that begin so. */
  allowedHeaders: string;
  /** Headers of answers. */
  exposedHeaders: string;
  /** Browsers need not ask again for this long. */
  preflightSeconds: number;
}

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';
const DEFAULT: CorsRules = {
  allowedHeaders: 'Authorization, Content-Type, If-None-Match',
  exposedHeaders: 'ETag, Retry-After, X-Next-Cursor, X-Request-Id',
  preflightSeconds: 3600,
};

/** The headers that let this caller's page read the answer; none for other origins and for callers that are not browsers. */
export function corsHeaders(
  { headers: { origin } }: RequestFacts,
  origins: CorsOrigins,
  rules: Partial<CorsRules>,
): Record<string, string> {
  if (origin === undefined) return {};
  const exposed = { 'access-control-expose-headers': rules.exposedHeaders ?? DEFAULT.exposedHeaders };
  if (origins.includes('*')) return { 'access-control-allow-origin': '*', ...exposed };
  // The answer depends on the origin, so caches must keep the answers apart.
  if (!origins.includes(origin)) return { vary: 'Origin' };
  return { 'access-control-allow-origin': origin, ...exposed, vary: 'Origin' };
}

/** The answer to OPTIONS, which needs no key: a browser asks before it sends one. */
export function preflight({ headers }: RequestFacts, rules: Partial<CorsRules>): HttpResult {
  const { allowedHeaders, preflightSeconds } = { ...DEFAULT, ...rules };
  return {
    statusCode: 200,
    headers: {
      'access-control-allow-methods': METHODS,
      'access-control-allow-headers': named(allowedHeaders, headers['access-control-request-headers'] ?? ''),
      'access-control-max-age': String(preflightSeconds),
    },
    body: '',
  };
}

/** The allowed names, and of the asked ones those that a prefix allows: browsers know no prefixes. */
function named(allowed: string, asked: string): string {
  const [prefixes, names] = partition(allowed.split(', '), (name) => name.endsWith('*'));
  const matching = asked
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => /^[a-z0-9-]{1,64}$/.test(name) && prefixes.some((prefix) => name.startsWith(prefix.slice(0, -1).toLowerCase())));
  return [...names, ...new Set(matching)].join(', ');
}

const partition = <T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] => [
  items.filter(test),
  items.filter((item) => !test(item)),
];
