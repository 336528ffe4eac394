import type { AppError, ErrorKind } from '../../platform/errors.ts';
import { sseData, sseEvent } from '../../platform/sse/sse-writer.ts';

/** A failure as the inference API tells it. */
export interface InferenceError {
  status: number;
  message: string;
  /** OpenAI's words. */
  type: string;
  code: string | null;
  param: string | null;
  /** The words of the gateway's own API. */
  brokle_type: string;
  /** The provider that failed or refused, if one was asked. */
  provider: string | undefined;
  details: Record<string, unknown> | undefined;
  /** OpenAI's and Anthropic's SDKs try again by the status, unless they are told not to. */
  retry: boolean;
  retry_after_ms: number | undefined;
}

interface Row {
  status: number;
  type: string;
  /** The code on the wire if the error has none of its own. */
  code: string | null;
  brokle_type: string;
  retry?: false;
}

/** The statuses and types of the inference API. An error's own code goes out as it is. */
const ROWS: Record<ErrorKind, Row> = {
  bad_request: { status: 400, type: 'invalid_request_error', code: null, brokle_type: 'VALIDATION_ERROR' },
  unprocessable: { status: 422, type: 'invalid_request_error', code: null, brokle_type: 'VALIDATION_ERROR' },
  timeout: { status: 408, type: 'invalid_request_error', code: 'request_timeout', brokle_type: 'VALIDATION_ERROR' },
  payload_too_large: { status: 413, type: 'invalid_request_error', code: 'request_too_large', brokle_type: 'VALIDATION_ERROR' },
  unsupported_media_type: { status: 415, type: 'invalid_request_error', code: 'unsupported_media_type', brokle_type: 'VALIDATION_ERROR' },
  // OpenAI really has this type for a wrong key.
  unauthenticated: { status: 401, type: 'invalid_request_error', code: 'invalid_api_key', brokle_type: 'UNAUTHORIZED' },
  forbidden: { status: 403, type: 'insufficient_permissions', code: 'insufficient_scope', brokle_type: 'FORBIDDEN' },
  not_found: { status: 404, type: 'invalid_request_error', code: 'model_not_found', brokle_type: 'NOT_FOUND' },
  conflict: { status: 409, type: 'invalid_request_error', code: 'conflict', brokle_type: 'CONFLICT' },
  rate_limited: { status: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded', brokle_type: 'RATE_LIMITED' },
  quota_exceeded: { status: 429, type: 'insufficient_quota', code: 'insufficient_quota', brokle_type: 'QUOTA_EXCEEDED', retry: false },
  internal: { status: 500, type: 'server_error', code: 'internal_error', brokle_type: 'INTERNAL_ERROR' },
  unavailable: { status: 503, type: 'server_error', code: 'service_unavailable', brokle_type: 'INTERNAL_ERROR' },
  // The gateway has tried all that it may: a client that tries again would multiply the attempts.
  upstream_failed: { status: 502, type: 'server_error', code: 'provider_error', brokle_type: 'PROVIDER_ERROR', retry: false },
  upstream_timeout: { status: 504, type: 'server_error', code: 'provider_timeout', brokle_type: 'PROVIDER_ERROR', retry: false },
};

/** The status of each kind of error. */
export const INFERENCE_STATUS = Object.fromEntries(Object.entries(ROWS).map(([kind, { status }]) => [kind, status])) as Record<
  ErrorKind,
  number
>;

/** Codes that tell more than their kind. */
const CODES: Readonly<Record<string, Partial<Row>>> = {
  no_provider_available: { brokle_type: 'PROVIDER_ERROR', retry: false },
  provider_rate_limited: { brokle_type: 'PROVIDER_ERROR' },
};

const DEFAULT_RETRY_AFTER_MS = 1_000;

export function inferenceError(error: AppError): InferenceError {
  const row = ROWS[error.kind];
  const code = error.code === error.kind ? row.code : error.code;
  const meaning = { ...row, ...(code !== null && Object.hasOwn(CODES, code) ? CODES[code] : undefined) };
  const { param, provider, retry_after_ms, ...details } = error.details ?? {};
  const seconds = error.retryAfterSeconds;
  const wait = typeof retry_after_ms === 'number' ? retry_after_ms : seconds === undefined ? undefined : seconds * 1_000;
  return {
    status: meaning.status,
    message: error.message,
    type: meaning.type,
    code,
    param: typeof param === 'string' ? param : null,
    brokle_type: meaning.brokle_type,
    provider: typeof provider === 'string' ? provider : undefined,
    details: Object.keys(details).length > 0 ? details : undefined,
    retry: meaning.retry ?? true,
    retry_after_ms: wait ?? (meaning.status === 429 || meaning.status === 503 ? DEFAULT_RETRY_AFTER_MS : undefined),
  };
}

/** Headers of a refusal. They tell SDKs if and when to try again. */
export function inferenceErrorHeaders({ retry, retry_after_ms }: InferenceError): Record<string, string> {
  return {
    ...(retry ? {} : { 'x-should-retry': 'false' }),
    ...(retry_after_ms !== undefined && {
      'retry-after': String(Math.ceil(retry_after_ms / 1_000)),
      'retry-after-ms': String(Math.ceil(retry_after_ms)),
    }),
  };
}

/** OpenAI's error, inside the envelope of the gateway's own API: clients of either find what they look for. */
export function openaiErrorBody(error: InferenceError, meta: { request_id: string; timestamp: string }): string {
  return JSON.stringify({
    error: { ...openaiError(error), brokle_type: error.brokle_type, ...(error.details && { details: error.details }) },
    success: false,
    data: null,
    meta: { ...meta, version: 'v1' },
  });
}

const openaiError = ({ message, type, param, code, provider }: InferenceError) => ({
  message,
  type,
  param,
  code,
  ...(provider !== undefined && { provider }),
});

/** The error inside a stream that has begun. Nothing follows it, not even `[DONE]`. */
export const openaiErrorFrame = (error: InferenceError): string => sseData(JSON.stringify({ error: openaiError(error) }));

/** The error as Anthropic's clients read it, for `/v1/messages` and for callers who send `anthropic-version`. */
export const anthropicErrorBody = (error: InferenceError, request_id: string): string =>
  JSON.stringify({ type: 'error', error: { type: anthropicType(error.status), message: error.message }, request_id });

export const anthropicErrorFrame = (error: InferenceError): string =>
  sseEvent('error', JSON.stringify({ type: 'error', error: { type: anthropicType(error.status), message: error.message } }));

function anthropicType(status: number): string {
  switch (status) {
    case 401:
      return 'authentication_error';
    case 403:
      return 'permission_error';
    case 404:
      return 'not_found_error';
    case 413:
      return 'request_too_large';
    case 429:
      return 'rate_limit_error';
    case 503:
      return 'overloaded_error';
    default:
      return status < 500 ? 'invalid_request_error' : 'api_error';
  }
}
