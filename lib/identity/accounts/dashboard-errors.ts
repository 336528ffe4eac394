import { AppError, type ErrorKind, type ErrorOptions } from '../../platform/errors.ts';
import type { InputPart, Issue } from '../../platform/http/validation.ts';

/** The dashboard's HTTP status and error type of each kind of failure. */
export const DASHBOARD_STATUS: Readonly<Record<ErrorKind, number>> = {
  bad_request: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  timeout: 408,
  conflict: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  unprocessable: 400,
  rate_limited: 429,
  quota_exceeded: 429,
  internal: 500,
  unavailable: 503,
  upstream_failed: 502,
  upstream_timeout: 504,
};

export const DASHBOARD_TYPE: Readonly<Record<ErrorKind, string>> = {
  bad_request: 'VALIDATION_ERROR',
  unauthenticated: 'UNAUTHORIZED',
  forbidden: 'FORBIDDEN',
  not_found: 'NOT_FOUND',
  timeout: 'VALIDATION_ERROR',
  conflict: 'CONFLICT',
  payload_too_large: 'VALIDATION_ERROR',
  unsupported_media_type: 'VALIDATION_ERROR',
  unprocessable: 'VALIDATION_ERROR',
  rate_limited: 'RATE_LIMITED',
  quota_exceeded: 'QUOTA_EXCEEDED',
  internal: 'INTERNAL_ERROR',
  unavailable: 'INTERNAL_ERROR',
  upstream_failed: 'PROVIDER_ERROR',
  upstream_timeout: 'PROVIDER_ERROR',
};

/** Every code of the dashboard's wire with its kind and standard text. Codes are API: never rename one. */
export const DASHBOARD_ERRORS = {
  INVALID_INPUT: ['bad_request', 'the request breaks a rule'],
  REQUIRED_FIELD_MISSING: ['bad_request', 'a member is missing'],
  INVALID_FORMAT: ['bad_request', 'a member has a wrong format'],
  VALUE_OUT_OF_RANGE: ['bad_request', 'a value is out of range'],
  INVALID_JSON: ['bad_request', 'the body is not valid JSON'],
  PAYLOAD_TOO_LARGE: ['payload_too_large', 'the body is too large'],
  UNSUPPORTED_MEDIA_TYPE: ['unsupported_media_type', 'the content type is not accepted'],
  UNKNOWN_METRIC: ['bad_request', 'unknown metric'],
  INVALID_TIME_RANGE: ['bad_request', 'the time range is not valid'],

  MISSING_CREDENTIALS: ['unauthenticated', 'credentials are missing'],
  INVALID_CREDENTIALS: ['unauthenticated', 'the e-mail address or the password is wrong'],
  TOKEN_EXPIRED: ['unauthenticated', 'the access token has expired'],
  TOKEN_INVALID: ['unauthenticated', 'the access token is not valid'],
  TOKEN_REVOKED: ['unauthenticated', 'the access token was revoked'],
  REFRESH_TOKEN_INVALID: ['unauthenticated', 'the refresh token is not valid'],
  REFRESH_TOKEN_REUSED: ['unauthenticated', 'the refresh token was used before; its session has ended'],
  RESET_TOKEN_INVALID: ['bad_request', 'the reset token is not valid'],
  API_KEY_INVALID: ['unauthenticated', 'the API key is not valid'],
  API_KEY_EXPIRED: ['unauthenticated', 'the API key has expired'],
  API_KEY_REVOKED: ['unauthenticated', 'the API key was revoked'],

  INSUFFICIENT_PERMISSIONS: ['forbidden', 'your role does not allow this'],
  INSUFFICIENT_SCOPE: ['forbidden', 'the API key lacks a scope'],
  ACCOUNT_INACTIVE: ['forbidden', 'the account is not active'],
  PROJECT_INACTIVE: ['forbidden', 'the project or its organization is not active'],
  FEATURE_DISABLED: ['forbidden', 'the feature is disabled'],

  USER_NOT_FOUND: ['not_found', 'user not found'],
  ORG_NOT_FOUND: ['not_found', 'organization not found'],
  PROJECT_NOT_FOUND: ['not_found', 'project not found'],
  API_KEY_NOT_FOUND: ['not_found', 'API key not found'],
  MEMBER_NOT_FOUND: ['not_found', 'member not found'],
  INVITATION_NOT_FOUND: ['not_found', 'invitation not found'],
  SESSION_NOT_FOUND: ['not_found', 'session not found'],
  PROVIDER_NOT_FOUND: ['not_found', 'provider not found'],
  MODEL_NOT_FOUND: ['not_found', 'model not found'],
  MODEL_GROUP_NOT_FOUND: ['not_found', 'model group not found'],
  DECISION_NOT_FOUND: ['not_found', 'routing decision not found'],
  BUDGET_NOT_FOUND: ['not_found', 'budget not found'],
  PRICE_NOT_FOUND: ['not_found', 'price override not found'],
  TRACE_NOT_FOUND: ['not_found', 'trace not found'],
  WEBHOOK_NOT_FOUND: ['not_found', 'webhook not found'],
  ROUTE_NOT_FOUND: ['not_found', 'no such endpoint'],

  EMAIL_ALREADY_EXISTS: ['conflict', 'the e-mail address is taken'],
  NAME_ALREADY_EXISTS: ['conflict', 'the name is taken'],
  PROVIDER_ALREADY_EXISTS: ['conflict', 'a provider with this id exists'],
  ALREADY_A_MEMBER: ['conflict', 'the user is a member already'],
  LAST_OWNER: ['conflict', 'an organization needs an owner: name another one first'],
  LIMIT_REACHED: ['conflict', 'there are as many as there may be'],
  VERSION_CONFLICT: ['conflict', 'somebody else changed it; read it again'],
  IDEMPOTENCY_CONFLICT: ['conflict', 'this Idempotency-Key was used with another request'],

  RATE_LIMIT_EXCEEDED: ['rate_limited', 'too many requests'],
  MONTHLY_REQUESTS_EXCEEDED: ['quota_exceeded', 'the monthly requests are used up'],
  MONTHLY_COST_EXCEEDED: ['quota_exceeded', 'the monthly cost is reached'],
  BUDGET_EXCEEDED: ['quota_exceeded', 'the budget is used up'],
  PROVIDER_ERROR: ['upstream_failed', 'the provider failed'],
  PROVIDER_AUTH_FAILED: ['upstream_failed', 'the provider refused its key'],
  PROVIDER_RATE_LIMITED: ['upstream_failed', 'the provider refused for too many requests'],
  NO_PROVIDER_AVAILABLE: ['unavailable', 'no provider is available'],
  PROVIDER_TIMEOUT: ['upstream_timeout', 'the provider did not answer in time'],
  SERVICE_UNAVAILABLE: ['unavailable', 'the service is not available; try again'],
  INTERNAL_ERROR: ['internal', 'internal error'],
} as const satisfies Record<string, readonly [ErrorKind, string]>;
export type DashboardErrorCode = keyof typeof DASHBOARD_ERRORS;

export function dashboardError(
  code: DashboardErrorCode,
  { message = DASHBOARD_ERRORS[code][1], ...options }: Omit<ErrorOptions, 'code'> & { message?: string } = {},
): AppError {
  return new AppError(DASHBOARD_ERRORS[code][0], message, { code, ...options });
}

/** An error for one member of the input, for rules that no schema can say. The value is never shown. */
export const invalidField = (field: string, constraint: string, code: DashboardErrorCode = 'INVALID_INPUT'): AppError =>
  dashboardError(code, { message: `${field}: ${constraint}`, details: { field, constraint } });

/** The platform's own codes under the dashboard's names. */
const CODES: Readonly<Record<string, DashboardErrorCode>> = {
  invalid_encoding: 'INVALID_JSON',
  unavailable: 'SERVICE_UNAVAILABLE',
  overloaded: 'SERVICE_UNAVAILABLE',
  bad_request: 'INVALID_INPUT',
  request_aborted: 'INVALID_INPUT',
  forbidden: 'INSUFFICIENT_PERMISSIONS',
  not_found: 'ROUTE_NOT_FOUND',
  rate_limited: 'RATE_LIMIT_EXCEEDED',
  quota_exceeded: 'BUDGET_EXCEEDED',
};
export const dashboardCode = (code: string): string => CODES[code] ?? code.toUpperCase();

/** The error's part of the envelope. */
export const errorBody = ({ kind, code, message, details = {} }: AppError) => ({
  type: dashboardCode(code) === 'NO_PROVIDER_AVAILABLE' ? 'PROVIDER_ERROR' : DASHBOARD_TYPE[kind],
  code: dashboardCode(code),
  message,
  details,
});

const codeOf = ({ kind, value }: Issue): DashboardErrorCode => {
  if (value === undefined) return 'REQUIRED_FIELD_MISSING';
  if (kind === 'too_small' || kind === 'too_big') return 'VALUE_OUT_OF_RANGE';
  return kind === 'invalid_format' ? 'INVALID_FORMAT' : 'INVALID_INPUT';
};

const SECRET = /password|secret|token|key/i;
const SHOWN_CHARACTERS = 100;

/** The offending value if it is short, plain and no secret. */
function shown({ field, value }: Issue): { value?: unknown } {
  if (SECRET.test(field) || value === undefined || (typeof value === 'object' && value !== null)) return {};
  return { value: typeof value === 'string' ? value.slice(0, SHOWN_CHARACTERS) : value };
}

/** The error for input that breaks rules. One broken rule is told with its member and value, several as a list. */
export function invalidDashboardInput(part: InputPart, issues: readonly Issue[]): AppError {
  const named = issues.map((issue) => ({ ...issue, field: issue.field.slice(part.length + 1) || part }));
  const [first] = named;
  if (!first) return dashboardError('INVALID_INPUT');
  const message = `${first.field}: ${first.rule}`;
  if (named.length === 1)
    return dashboardError(codeOf(first), { message, details: { field: first.field, ...shown(first), constraint: first.rule } });
  const errors = named.map((issue) => ({ field: issue.field, message: issue.rule, code: codeOf(issue) }));
  return dashboardError('INVALID_INPUT', { message, details: { errors } });
}
