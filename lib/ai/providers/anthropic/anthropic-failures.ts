import { isJsonObject } from '../../wire/json-schema-refs.ts';
import type { UpstreamFailure } from '../adapter.ts';
import { retryAfterMs } from '../retry-after.ts';
import { safeMessage } from '../safe-message.ts';

/** The HTTP statuses of Anthropic's error types, for errors that come inside an answer with status 200. */
const STATUSES: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
};
/** Anthropic answers 400 with this text if the account has no credit left. */
const EXHAUSTED = /credit balance|purchase credits|spend(?:ing)? limit|usage limits?\b.*regain/i;

/** The failure of an error status, or of an error inside a 200. */
export function anthropicFailure(status: number, headers: Readonly<Record<string, string>>, body: unknown): UpstreamFailure {
  const error = isJsonObject(body) && isJsonObject(body.error) ? body.error : undefined;
  const type = typeof error?.type === 'string' ? error.type : null;
  const text = textOf(body) ?? `Anthropic answered with status ${status}.`;
  const message = safeMessage(text);
  const retry_after_ms = retryAfterMs(headers);
  return {
    status,
    blame: blameFor(status, type, text),
    message,
    code: codeFor(text, error?.code),
    param: paramFor(text),
    ...(retry_after_ms !== undefined && { retry_after_ms }),
  };
}

/** Servers in between write the error as a text of its own. */
function textOf(body: unknown): string | undefined {
  const error = isJsonObject(body) ? body.error : undefined;
  const text = isJsonObject(error) ? error.message : error;
  return typeof text === 'string' ? text : undefined;
}

/** The failure inside an answer with status 200, or inside a stream; undefined if it is none. */
export function anthropicFailureIn(body: unknown): UpstreamFailure | undefined {
  if (!isJsonObject(body) || (body.type !== 'error' && !isJsonObject(body.error))) return undefined;
  const error = isJsonObject(body.error) ? body.error : {};
  const numeric = [error.code, error.status].find((value) => typeof value === 'number' && value >= 400 && value < 600);
  const status = typeof numeric === 'number' ? numeric : ((typeof error.type === 'string' ? STATUSES[error.type] : undefined) ?? 502);
  return anthropicFailure(status, {}, body);
}

function blameFor(status: number, type: string | null, text: string): UpstreamFailure['blame'] {
  if (status === 402 || type === 'billing_error') return 'exhausted_account';
  if ((status === 400 || status === 403 || status === 429) && EXHAUSTED.test(text)) return 'exhausted_account';
  if (status === 401 || status === 403) return 'credentials';
  if (status === 429) return 'rate_limited';
  // An address that knows Anthropic's errors has the endpoint, and lacks the model.
  if (status === 404 || status === 405) return type === null ? 'missing_endpoint' : 'caller';
  return status >= 500 || status === 408 ? 'provider' : 'caller';
}

function codeFor(text: string, own: unknown): string | null {
  if (/prompt is too long|context (?:window|limit)/i.test(text)) return 'context_length_exceeded';
  return typeof own === 'string' ? own.slice(0, 100) : null;
}

/** Anthropic begins its text with the member's path: `messages.1.content: …`. */
function paramFor(text: string): string | null {
  const path = /^([a-z_]+(?:\.[a-z0-9_]+)*): /.exec(text)?.[1];
  return path === undefined ? null : path.replaceAll(/\.(\d+)/g, '.[$1]');
}
