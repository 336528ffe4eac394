import { endOf } from '../../lib/ai/completion/call/call-end.ts';
import type { CallRecord } from '../../lib/ai/records/call-record.ts';
import {
  anthropicErrorBody,
  type InferenceError,
  inferenceError,
  inferenceErrorHeaders,
  openaiErrorBody,
} from '../../lib/ai/wire/inference-errors.ts';
import { unknownUrlMessage } from '../../lib/ai/wire/unknown-url.ts';
import type { ProjectKeyPrincipal } from '../../lib/identity/accounts/account-principals.ts';
import { timestamp } from '../../lib/platform/clock.ts';
import { AppError } from '../../lib/platform/errors.ts';
import type { AnyEndpoint } from '../../lib/platform/http/endpoint.ts';
import type { HttpResult } from '../../lib/platform/http/http-event.ts';
import type { RequestFacts } from '../../lib/platform/http/request-facts.ts';
import { jsonTextResult } from '../../lib/platform/http/results.ts';
import type { Surface } from '../../lib/platform/http/surface.ts';
import type { InputPart, Issue } from '../../lib/platform/http/validation.ts';
import { newUlid } from '../../lib/platform/ids.ts';
import { AI_CORS } from '../ai-cors.ts';
import { dashboardLimits } from '../identity/dashboard-limits.ts';
import { authenticateProjectKey } from '../identity/project-keys.ts';
import { runtime } from '../runtime.ts';
import { type GatewayServices, gatewayServices } from './gateway-services.ts';

const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;
const requestIdOf = ({ 'x-request-id': given }: RequestFacts['headers']): string =>
  given !== undefined && REQUEST_ID.test(given) ? given : `req_${newUlid(runtime().clock.nowMs())}`;

/** Whether the caller reads Anthropic's shapes. */
export const speaksAnthropic = ({ path, headers }: RequestFacts): boolean =>
  path.startsWith('/v1/messages') || headers['anthropic-version'] !== undefined;

export const renderInferenceError = (error: AppError, request: RequestFacts): HttpResult => render(inferenceError(error), request);

function render(error: InferenceError, request: RequestFacts): HttpResult {
  const { requestId } = request;
  const body = speaksAnthropic(request)
    ? anthropicErrorBody(error, requestId)
    : openaiErrorBody(error, { request_id: requestId, timestamp: timestamp(runtime().clock) });
  const result = jsonTextResult(error.status, body);
  return { ...result, headers: { ...result.headers, ...inferenceErrorHeaders(error) } };
}

const unknownUrl = ({ method, path }: RequestFacts): AppError =>
  new AppError('not_found', unknownUrlMessage(method, path), { code: 'unknown_url' });

/** Clients of OpenAI know one code for every key that may not be used. */
async function authenticate(request: RequestFacts): Promise<ProjectKeyPrincipal> {
  try {
    return await authenticateProjectKey(request);
  } catch (error) {
    if (error instanceof AppError && error.kind === 'unauthenticated') throw new AppError('unauthenticated', error.message);
    throw error;
  }
}

/** The operations whose refusals are recorded. */
const OPERATIONS: ReadonlyMap<string | undefined, CallRecord['operation']> = new Map([
  ['create_chat_completion', 'chat'],
  ['create_completion', 'completions'],
  ['create_embedding', 'embeddings'],
  ['create_response', 'responses'],
  ['create_message', 'messages'],
]);

/** Leaves a record of a call that was refused before the pipeline has left one. Nothing is kept of callers whom nobody knows. */
async function refused(
  error: AppError,
  { requestId: request_id, noted, log }: RequestFacts,
  { principal, endpoint }: Known,
): Promise<void> {
  const operation = OPERATIONS.get(endpoint?.id);
  if (!principal || !operation || noted.call !== undefined) return;
  const { status_code, outcome } = endOf(error);
  try {
    await (await gatewayServices()).noteRefused({ request_id, operation, principal, status_code, outcome, error: error.message });
  } catch (failure) {
    log.warn('refusal_not_recorded', { error: failure });
  }
}
interface Known {
  principal?: ProjectKeyPrincipal | undefined;
  endpoint?: AnyEndpoint | undefined;
}

/** The surface of inference: project keys, and the shapes of OpenAI's and Anthropic's APIs. */
export const inferenceSurface: Surface<GatewayServices, ProjectKeyPrincipal> = {
  name: 'inference',
  base: runtime,
  services: () => gatewayServices(),
  authenticate,
  describe: ({ type, key_id }) => ({ type, id: key_id }),
  // Without a key it is the address that counts, on this surface and the dashboard together.
  limit: async (request, { principal }) =>
    principal ? (await gatewayServices()).limit(request, principal) : dashboardLimits().count(request, undefined),
  refused,
  renderSuccess: jsonTextResult,
  renderError: renderInferenceError,
  notFound: (request) => renderInferenceError(unknownUrl(request), request),
  methodNotAllowed: (request) =>
    render(
      {
        ...inferenceError(new AppError('bad_request', `${request.path} does not take ${request.method}.`, { code: 'method_not_allowed' })),
        status: 405,
      },
      request,
    ),
  invalid: (_part: InputPart, [issue]: readonly Issue[]) =>
    new AppError('bad_request', issue ? `${issue.field}: ${issue.rule}` : 'The request is not valid.', {
      code: 'invalid_value',
      ...(issue && { details: { param: issue.field } }),
    }),
  cors: () => runtime().config.BROKKR_CORS_ORIGINS,
  ...AI_CORS,
  requestId: requestIdOf,
  // Anthropic's SDK reads `request-id`.
  headers: ({ requestId }) => ({ 'request-id': requestId, 'cache-control': 'no-store' }),
};
