import type { CorsRules } from '../lib/platform/http/cors.ts';

/** What browsers may send to the dashboard and to inference, and read of their answers. SDKs send `x-stainless-*` headers by themselves. */
export const AI_CORS: CorsRules = {
  allowedHeaders: [
    ...[
      'Authorization',
      'Content-Type',
      'Idempotency-Key',
      'If-None-Match',
      'X-API-Key',
      'X-Organization-ID',
      'X-Project-ID',
      'X-Request-ID',
    ],
    ...['OpenAI-Organization', 'OpenAI-Project', 'OpenAI-Beta', 'anthropic-version', 'anthropic-beta'],
    ...['anthropic-dangerous-direct-browser-access', 'x-stainless-*', 'x-brokle-*'],
  ].join(', '),
  exposedHeaders: [
    ...['X-Request-ID', 'request-id', 'ETag', 'Retry-After', 'retry-after-ms', 'x-should-retry'],
    ...['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset'],
    ...['requests', 'tokens'].flatMap((of) => ['limit', 'remaining', 'reset'].map((part) => `x-ratelimit-${part}-${of}`)),
    ...['provider', 'model', 'routing-decision-id', 'cache', 'attempts', 'overhead-ms', 'cost-usd', 'warnings'].map(
      (name) => `x-brokle-${name}`,
    ),
  ].join(', '),
  preflightSeconds: 300,
};
