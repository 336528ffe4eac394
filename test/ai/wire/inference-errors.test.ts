import { expect, test } from '@jest/globals';
import {
  anthropicErrorBody,
  anthropicErrorFrame,
  inferenceError,
  inferenceErrorHeaders,
  openaiErrorBody,
  openaiErrorFrame,
} from '../../../lib/ai/wire/inference-errors.ts';
import { requestError } from '../../../lib/ai/wire/request-error.ts';
import { upstreamError } from '../../../lib/ai/wire/upstream-error.ts';
import { AppError, type ErrorKind, type ErrorOptions } from '../../../lib/platform/errors.ts';

test.each<[kind: ErrorKind, options: ErrorOptions, status: number, type: string, code: string | null, brokle: string, anthropic: string]>([
  ['bad_request', {}, 400, 'invalid_request_error', null, 'VALIDATION_ERROR', 'invalid_request_error'],
  [
    'bad_request',
    { code: 'context_length_exceeded' },
    400,
    'invalid_request_error',
    'context_length_exceeded',
    'VALIDATION_ERROR',
    'invalid_request_error',
  ],
  ['unauthenticated', {}, 401, 'invalid_request_error', 'invalid_api_key', 'UNAUTHORIZED', 'authentication_error'],
  ['forbidden', {}, 403, 'insufficient_permissions', 'insufficient_scope', 'FORBIDDEN', 'permission_error'],
  ['not_found', {}, 404, 'invalid_request_error', 'model_not_found', 'NOT_FOUND', 'not_found_error'],
  ['not_found', { code: 'unknown_url' }, 404, 'invalid_request_error', 'unknown_url', 'NOT_FOUND', 'not_found_error'],
  ['conflict', {}, 409, 'invalid_request_error', 'conflict', 'CONFLICT', 'invalid_request_error'],
  ['payload_too_large', {}, 413, 'invalid_request_error', 'request_too_large', 'VALIDATION_ERROR', 'request_too_large'],
  ['unsupported_media_type', {}, 415, 'invalid_request_error', 'unsupported_media_type', 'VALIDATION_ERROR', 'invalid_request_error'],
  ['unprocessable', {}, 422, 'invalid_request_error', null, 'VALIDATION_ERROR', 'invalid_request_error'],
  ['rate_limited', {}, 429, 'rate_limit_error', 'rate_limit_exceeded', 'RATE_LIMITED', 'rate_limit_error'],
  [
    'rate_limited',
    { code: 'provider_rate_limited' },
    429,
    'rate_limit_error',
    'provider_rate_limited',
    'PROVIDER_ERROR',
    'rate_limit_error',
  ],
  ['quota_exceeded', {}, 429, 'insufficient_quota', 'insufficient_quota', 'QUOTA_EXCEEDED', 'rate_limit_error'],
  ['internal', {}, 500, 'server_error', 'internal_error', 'INTERNAL_ERROR', 'api_error'],
  ['upstream_failed', {}, 502, 'server_error', 'provider_error', 'PROVIDER_ERROR', 'api_error'],
  ['unavailable', {}, 503, 'server_error', 'service_unavailable', 'INTERNAL_ERROR', 'overloaded_error'],
  ['unavailable', { code: 'no_provider_available' }, 503, 'server_error', 'no_provider_available', 'PROVIDER_ERROR', 'overloaded_error'],
  ['upstream_timeout', {}, 504, 'server_error', 'provider_timeout', 'PROVIDER_ERROR', 'api_error'],
])('%s with %j is told in the words of OpenAI, of Anthropic and of the gateway', (kind, options, status, type, code, brokle, anthropic) => {
  const error = inferenceError(new AppError(kind, 'text', options));
  expect(error.status).toBe(status);
  expect(JSON.parse(openaiErrorBody(error, { request_id: 'req_1', timestamp: '2026-01-01T00:00:00.000Z' }))).toEqual({
    error: { message: 'text', type, param: null, code, brokle_type: brokle },
    success: false,
    data: null,
    meta: { request_id: 'req_1', timestamp: '2026-01-01T00:00:00.000Z', version: 'v1' },
  });
  expect(JSON.parse(anthropicErrorBody(error, 'req_1'))).toEqual({
    type: 'error',
    error: { type: anthropic, message: 'text' },
    request_id: 'req_1',
  });
});

test('an error names the parameter and the provider, and keeps its other facts', () => {
  const error = inferenceError(new AppError('bad_request', 'text', { details: { param: 'model', provider: 'openai', limit: 5 } }));
  expect(error).toMatchObject({ param: 'model', provider: 'openai', details: { limit: 5 } });
  expect(inferenceError(requestError('messages.[3].role', 'text')).param).toBe('messages.[3].role');
});

test.each<[what: string, error: AppError, headers: Record<string, string>]>([
  ['a mistake of the caller', new AppError('bad_request', ''), {}],
  ['a rate limit', new AppError('rate_limited', '', { retryAfterSeconds: 0.12 }), { 'retry-after': '1', 'retry-after-ms': '120' }],
  ['a rate limit without a time', new AppError('rate_limited', ''), { 'retry-after': '1', 'retry-after-ms': '1000' }],
  [
    'a used-up budget',
    new AppError('quota_exceeded', '', { retryAfterSeconds: 60 }),
    { 'x-should-retry': 'false', 'retry-after': '60', 'retry-after-ms': '60000' },
  ],
  ['a failed provider', new AppError('upstream_failed', ''), { 'x-should-retry': 'false' }],
  ['a slow provider', new AppError('upstream_timeout', ''), { 'x-should-retry': 'false' }],
  [
    'no provider',
    new AppError('unavailable', '', { code: 'no_provider_available' }),
    { 'x-should-retry': 'false', 'retry-after': '1', 'retry-after-ms': '1000' },
  ],
  ['an unavailable store', new AppError('unavailable', '', { retryAfterSeconds: 2 }), { 'retry-after': '2', 'retry-after-ms': '2000' }],
  ['an internal error', new AppError('internal', ''), {}],
])('the headers for %s tell SDKs if and when to try again', (_what, error, headers) => {
  expect(inferenceErrorHeaders(inferenceError(error))).toEqual(headers);
});

test('an error inside a stream is one frame of the client’s kind', () => {
  const error = inferenceError(new AppError('upstream_failed', 'cut', { code: 'upstream_stream_interrupted' }));
  expect(openaiErrorFrame(error)).toBe(
    'data: {"error":{"message":"cut","type":"server_error","param":null,"code":"upstream_stream_interrupted"}}\n\n',
  );
  expect(anthropicErrorFrame(error)).toBe('event: error\ndata: {"type":"error","error":{"type":"api_error","message":"cut"}}\n\n');
});

test.each([
  ['caller', 400, 400, null],
  ['caller', 404, 404, 'model_not_found'],
  ['caller', 422, 422, null],
  ['caller', 418, 400, null],
  ['rate_limited', 429, 429, 'provider_rate_limited'],
  // Otherwise callers think that their own key is wrong.
  ['credentials', 401, 502, 'provider_auth_failed'],
  ['credentials', 403, 502, 'provider_auth_failed'],
  ['exhausted_account', 400, 502, 'provider_quota_exhausted'],
  ['missing_endpoint', 404, 502, 'provider_error'],
  ['provider', 500, 502, 'provider_error'],
  ['provider', 504, 504, 'provider_timeout'],
] as const)('a provider’s failure that is blamed on %s with status %i is answered with %i', (blame, status, answered, code) => {
  const failure = { status, blame, message: 'text', code: null, param: 'n', retry_after_ms: 1_500 };
  const error = inferenceError(upstreamError(failure, 'openai'));
  expect(error).toMatchObject({ status: answered, code, param: 'n', provider: 'openai', retry_after_ms: 1_500, details: undefined });
});
