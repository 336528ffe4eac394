import { isObject } from '../../wire/wire-values.ts';
import type { UpstreamFailure } from '../adapter.ts';
import { retryAfterMs } from '../retry-after.ts';
import { safeMessage } from '../safe-message.ts';

interface Told {
  message: string | undefined;
  code: string | null;
  type: string | null;
  param: string | null;
  /** The answer says why as JSON, so it comes from the provider's own program and not from something before it. */
  readable: boolean;
  /** A moderation of the request is told as 403. */
  moderated: boolean;
}

/** The failure that a status stands for, with the words of OpenAI's servers and of those that resemble them. */
export function openaiFailure(status: number, headers: Readonly<Record<string, string>>, body: unknown): UpstreamFailure {
  const told = toldIn(body);
  const retry = retryAfterMs(headers);
  const blame = blameFor(status, told);
  return {
    status,
    blame,
    message: told.message === undefined ? `The provider answered with status ${status} and no readable error.` : safeMessage(told.message),
    code: codeOf(blame, told),
    param: told.param,
    ...(retry !== undefined && { retry_after_ms: retry }),
  };
}

/** The failure inside an answer with status 200: some servers begin to answer before they know that they can't. */
export function openaiFailureIn(body: unknown): UpstreamFailure | undefined {
  if (!isObject(body)) return undefined;
  if (!body.error && !saysError(body.choices)) return undefined;
  return openaiFailure(statusInside(body.error), {}, body.error ? body : { error: { message: 'The provider broke off with an error.' } });
}

/** DeepSeek names its own overload as the reason of a finish. */
const FAILED: ReadonlySet<unknown> = new Set(['error', 'insufficient_system_resource']);
const saysError = (choices: unknown) =>
  Array.isArray(choices) && choices.some((choice) => isObject(choice) && FAILED.has(choice.finish_reason));

function statusInside(error: unknown): number {
  if (!isObject(error)) return 502;
  for (const value of [error.code, error.status, error.status_code]) {
    const status = Number(value);
    if (Number.isInteger(status) && status >= 400 && status <= 599) return status;
  }
  return STATUS_OF_TYPE[String(error.type ?? error.code)] ?? 502;
}
const STATUS_OF_TYPE: Readonly<Record<string, number>> = Object.assign(Object.create(null), {
  invalid_request_error: 400,
  authentication_error: 401,
  permission_error: 403,
  rate_limit_error: 429,
  rate_limit_exceeded: 429,
  insufficient_quota: 429,
});

/** Whether the provider refuses to be asked for usage in streams. Only of interest if the gateway asked by itself. */
export const refusesStreamUsage = ({ status, message, param }: UpstreamFailure): boolean =>
  (status === 400 || status === 422) && /stream_options|include_usage/.test(`${param ?? ''} ${message}`);

const EXHAUSTED =
  /insufficient_quota|billing_hard_limit|billing_not_active|insufficient (?:credit|balance|funds)|out of credits|exceeded your current quota/i;
const TOO_LONG = /context_length_exceeded|maximum context length|context window|too many (?:input )?tokens|prompt is too long/i;
const WRONG_KEY = /invalid_api_key|(?:incorrect|invalid) api key|api key not valid/i;
const NO_MODEL =
  /model_not_(?:found|available)|model.{0,80}(?:not found|not exist|unknown|not available)|(?:unknown|no such|invalid) model/i;

function blameFor(status: number, told: Told): UpstreamFailure['blame'] {
  const words = `${told.code ?? ''} ${told.type ?? ''} ${told.message ?? ''}`;
  if (status === 402 || ((status === 429 || status === 400 || status === 403) && EXHAUSTED.test(words))) return 'exhausted_account';
  if (status === 429) return 'rate_limited';
  if (status === 403 && told.moderated) return 'caller';
  if (status === 401 || status === 403 || status === 407 || (status === 400 && WRONG_KEY.test(words))) return 'credentials';
  if (status === 404) return told.readable && NO_MODEL.test(words) ? 'caller' : 'missing_endpoint';
  if (status === 405 || status === 501) return 'missing_endpoint';
  // A time-out at the provider, and its own overload with a status of the caller's range.
  if (status === 408 || status === 498 || status === 499) return 'provider';
  return status >= 400 && status < 500 ? 'caller' : 'provider';
}

function codeOf(blame: UpstreamFailure['blame'], { code, type, message }: Told): string | null {
  if (blame !== 'caller') return code;
  if (TOO_LONG.test(`${code ?? ''} ${type ?? ''} ${message ?? ''}`)) return 'context_length_exceeded';
  return code !== null && /^[a-z][a-z0-9_]{0,63}$/i.test(code) ? code : null;
}

function toldIn(body: unknown): Told {
  const outer = Array.isArray(body) ? body[0] : body;
  if (!isObject(outer)) return { message: undefined, code: null, type: null, param: null, readable: false, moderated: false };
  const error = outer.error ?? outer;
  if (typeof error === 'string') return { message: error, code: null, type: null, param: null, readable: true, moderated: false };
  if (!isObject(error)) return { message: undefined, code: null, type: null, param: null, readable: true, moderated: false };
  return {
    message: textOf(error.message) ?? textOf(error.detail) ?? textOf(outer.message),
    code: textOrNull(error.code),
    type: textOrNull(error.type),
    param: textOrNull(error.param),
    readable: true,
    moderated: isObject(error.metadata) && Array.isArray(error.metadata.reasons),
  };
}

const textOrNull = (value: unknown) =>
  typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : null;

/** A text, or what FastAPI's validation says: `[{ loc: ["body", "n"], msg: "…" }]`. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  if (isObject(value)) return textOf(value.detail) ?? textOf(value.message);
  if (!Array.isArray(value)) return undefined;
  const issues = value
    .filter(isObject)
    .map((issue) => `${Array.isArray(issue.loc) ? `${issue.loc.join('.')}: ` : ''}${typeof issue.msg === 'string' ? issue.msg : ''}`);
  return issues.length > 0 ? issues.join('; ') : undefined;
}
