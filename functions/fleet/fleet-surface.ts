import { unknownInferenceUrl } from '../../lib/ai/wire/unknown-url.ts';
import { invalidFleetInput, renderFleetError } from '../../lib/fleet/fleet-errors.ts';
import { type Principal, principalReference } from '../../lib/identity/principal.ts';
import { jsonTextResult, textResult } from '../../lib/platform/http/results.ts';
import type { Surface } from '../../lib/platform/http/surface.ts';
import { app } from '../app.ts';
import { runtime } from '../runtime.ts';
import type { Services } from '../services.ts';

/** The fleet's surface: keys (PAKs), and the shapes of Brokkr's API. */
export const fleetSurface: Surface<Services, Principal> = {
  name: 'fleet',
  base: runtime,
  services: async () => (await app()).services,
  authenticate: async (request) => (await app()).authenticate(request),
  describe: principalReference,
  renderSuccess: jsonTextResult,
  renderError: renderFleetError,
  notFound: (request) => unknownInferenceUrl(request, runtime().clock.nowMs()) ?? textResult(404, 'not found'),
  methodNotAllowed: () => ({ statusCode: 405, headers: {}, body: '' }),
  invalid: invalidFleetInput,
  cors: () => runtime().config.BROKKR_CORS_ORIGINS,
  // Answers are for their caller only, and some of them contain a key.
  headers: () => ({ 'cache-control': 'no-store' }),
};
