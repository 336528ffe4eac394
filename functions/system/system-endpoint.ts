import { unknownInferenceUrl } from '../../lib/ai/wire/unknown-url.ts';
import { invalidFleetInput, renderFleetError } from '../../lib/fleet/fleet-errors.ts';
import { AppError } from '../../lib/platform/errors.ts';
import { type AnyEndpoint, endpointFor } from '../../lib/platform/http/endpoint.ts';
import { type HttpFunction, httpFunction } from '../../lib/platform/http/http-function.ts';
import { jsonTextResult, textResult } from '../../lib/platform/http/results.ts';
import type { Surface } from '../../lib/platform/http/surface.ts';
import { type Runtime, runtime } from '../runtime.ts';

/**
 * The surface of probes, metrics and documents, which are open to everybody and to pages of any origin. Nothing is composed for it:
 * an endpoint that needs the store opens it itself, so that the others answer while the store is unavailable.
 */
export const systemSurface: Surface<Runtime, never> = {
  name: 'system',
  base: runtime,
  services: async () => runtime(),
  authenticate: async () => {
    throw new AppError('unauthenticated', 'these endpoints take no key', { code: 'unauthorized' });
  },
  describe: (nobody) => nobody,
  renderSuccess: jsonTextResult,
  renderError: renderFleetError,
  notFound: (request) => unknownInferenceUrl(request, runtime().clock.nowMs()) ?? textResult(404, 'not found'),
  methodNotAllowed: () => ({ statusCode: 405, headers: {}, body: '' }),
  invalid: invalidFleetInput,
  cors: () => ['*'],
  headers: () => ({}),
};

export const systemEndpoint = endpointFor(systemSurface);

/** The Lambda handler of one group of system endpoints. */
export const systemFunction = (endpoints: readonly AnyEndpoint[]): HttpFunction => httpFunction(endpoints, systemSurface);
