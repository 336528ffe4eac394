import { isObject } from '../../../wire/wire-values.ts';
import type { UpstreamFailure } from '../../adapter.ts';
import { retryAfterMs } from '../../retry-after.ts';
import { safeMessage } from '../../safe-message.ts';

const STATUSES: Readonly<Record<string, number>> = {
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  OUT_OF_RANGE: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ABORTED: 409,
  ALREADY_EXISTS: 409,
  RESOURCE_EXHAUSTED: 429,
  CANCELLED: 499,
  INTERNAL: 500,
  UNKNOWN: 500,
  UNIMPLEMENTED: 501,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
};

interface GoogleError {
  status: number | undefined;
  message: string;
  details: Record<string, unknown>[];
}

/** The failure inside a body: an object with `error`, or a list of them, as Google's streams have it. */
export function geminiFailureIn(body: unknown): UpstreamFailure | undefined {
  const error = googleError(body);
  return error && failureOf(error.status ?? 502, {}, error);
}

export function geminiFailure(status: number, headers: Readonly<Record<string, string>>, body: unknown): UpstreamFailure {
  return failureOf(status, headers, googleError(body));
}

function googleError(body: unknown): GoogleError | undefined {
  const holder: unknown = Array.isArray(body) ? body.find((item) => isObject(item) && item.error !== undefined) : body;
  if (!isObject(holder)) return undefined;
  const { error } = holder;
  if (typeof error === 'string') return { status: undefined, message: error, details: [] };
  if (!isObject(error)) return undefined;
  const { code, status, message, details } = error;
  const named = typeof status === 'string' && Object.hasOwn(STATUSES, status) ? STATUSES[status] : undefined;
  return {
    status: typeof code === 'number' && code >= 400 && code <= 599 ? code : named,
    message: typeof message === 'string' ? message : '',
    details: Array.isArray(details) ? details.filter(isObject) : [],
  };
}

function failureOf(status: number, headers: Readonly<Record<string, string>>, error: GoogleError | undefined): UpstreamFailure {
  const message = safeText(error?.message ?? '') || `The provider answered with status ${status}.`;
  const failure = (blame: UpstreamFailure['blame'], code: string | null, text = message): UpstreamFailure => {
    const wait = waitMs(headers, error);
    return { status, blame, message: text, code, param: null, ...(wait !== undefined && { retry_after_ms: wait }) };
  };
  if (isKeyProblem(status, error)) return failure('credentials', null, 'The provider refused the key that is configured for it.');
  if (
    status === 402 ||
    (error && /credits? (are|is|have been) (depleted|exhausted)|spend(ing)? (cap|limit)|enable billing/i.test(error.message))
  ) {
    return failure('exhausted_account', 'insufficient_quota');
  }
  if (status === 429) return failure('rate_limited', 'rate_limit_exceeded');
  if (status === 404) return error ? failure('caller', 'model_not_found') : failure('missing_endpoint', null);
  // The place of the gateway is not the caller's fault, and another provider may serve it.
  if (/location is not supported/i.test(error?.message ?? '')) return failure('provider', null);
  if (status >= 500 || status === 408 || status === 499 || status === 409 || status < 400) return failure('provider', null);
  const tooLong = /token count.*exceeds|exceeds the maximum number of tokens/i.test(error?.message ?? '');
  return failure('caller', tooLong ? 'context_length_exceeded' : 'invalid_value');
}

function isKeyProblem(status: number, error: GoogleError | undefined): boolean {
  if (status === 401 || status === 403) return true;
  const reasons = error?.details.map(({ reason }) => reason) ?? [];
  if (reasons.some((reason) => typeof reason === 'string' && reason.startsWith('API_KEY_'))) return true;
  return status === 400 && /\bAPI key (not|expired|was)/i.test(error?.message ?? '');
}

/** `retry-after`, or the delay of a `google.rpc.RetryInfo` (`"31s"`, `"0.5s"`). */
function waitMs(headers: Readonly<Record<string, string>>, error: GoogleError | undefined): number | undefined {
  const inHeaders = retryAfterMs(headers);
  if (inHeaders !== undefined) return inHeaders;
  for (const { retryDelay } of error?.details ?? []) {
    if (typeof retryDelay === 'string' && /^\d{1,5}(\.\d+)?s$/.test(retryDelay)) return Math.ceil(Number(retryDelay.slice(0, -1)) * 1_000);
  }
  return undefined;
}

/** Google's texts don't show keys. Should one ever do, it is masked. */
const safeText = (text: string): string => safeMessage(text.replaceAll(/AIza[\w-]{10,}|AQ\.[\w-]{10,}|ya29\.[\w.-]{10,}/g, '[redacted]'));
