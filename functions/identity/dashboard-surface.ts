import type { UserPrincipal } from '../../lib/identity/accounts/account-principals.ts';
import { DASHBOARD_STATUS, dashboardError, errorBody, invalidDashboardInput } from '../../lib/identity/accounts/dashboard-errors.ts';
import { timestamp } from '../../lib/platform/clock.ts';
import type { AppError } from '../../lib/platform/errors.ts';
import type { HttpResult } from '../../lib/platform/http/http-event.ts';
import type { RequestFacts } from '../../lib/platform/http/request-facts.ts';
import { jsonResult, jsonTextResult } from '../../lib/platform/http/results.ts';
import type { Surface } from '../../lib/platform/http/surface.ts';
import { newUlid } from '../../lib/platform/ids.ts';
import { AI_CORS } from '../ai-cors.ts';
import { runtime } from '../runtime.ts';
import { dashboardLimits } from './dashboard-limits.ts';
import { type DashboardServices, dashboardServices } from './dashboard-services.ts';

const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;

/** The caller's own request id if it is a harmless text, else a new one. */
export const requestIdOf = (headers: RequestFacts['headers']): string => {
  const given = headers['x-request-id'];
  return given !== undefined && REQUEST_ID.test(given) ? given : `req_${newUlid(runtime().clock.nowMs())}`;
};

const metaOf = ({ requestId }: RequestFacts, more: Record<string, unknown> = {}) => ({
  timestamp: timestamp(runtime().clock),
  request_id: requestId,
  version: 'v1',
  ...more,
});

/** `{ success, data, error, meta }` around an answer's JSON. */
export const renderEnvelope = (status: number, json: string, request: RequestFacts, meta?: Record<string, unknown>): HttpResult =>
  jsonTextResult(status, `{"success":true,"data":${json},"error":null,"meta":${JSON.stringify(metaOf(request, meta))}}`);

export function renderEnvelopeError(error: AppError, request: RequestFacts): HttpResult {
  const status = DASHBOARD_STATUS[error.kind];
  const result = jsonResult(status, { success: false, data: null, error: errorBody(error), meta: metaOf(request) });
  const waitMs = error.details?.retry_after_ms;
  if (typeof waitMs === 'number') result.headers = { ...result.headers, 'retry-after-ms': String(waitMs) };
  return status === 401 ? { ...result, headers: { ...result.headers, 'www-authenticate': 'Bearer' } } : result;
}

/** The dashboard's surface: signed-in users, and one envelope around every answer. */
export const dashboardSurface: Surface<DashboardServices, UserPrincipal> = {
  name: 'dashboard',
  base: runtime,
  services: async () => dashboardServices(),
  authenticate: (request) => dashboardServices().authenticate(request),
  limit: (request, { principal }) => dashboardLimits().count(request, principal),
  describe: ({ type, user_id }) => ({ type, id: user_id }),
  renderSuccess: renderEnvelope,
  renderError: renderEnvelopeError,
  notFound: (request) => renderEnvelopeError(dashboardError('ROUTE_NOT_FOUND'), request),
  methodNotAllowed(request) {
    const error = dashboardError('INVALID_INPUT', { message: `${request.path} does not take ${request.method}` });
    return { ...renderEnvelopeError(error, request), statusCode: 405 };
  },
  invalid: invalidDashboardInput,
  cors: () => runtime().config.BROKKR_CORS_ORIGINS,
  ...AI_CORS,
  requestId: requestIdOf,
  // Answers are for their caller only, and some of them contain a token or a key.
  headers: () => ({ 'cache-control': 'no-store' }),
};
