import { httpFunction } from '../../lib/platform/http/http-function.ts';
import { searchAgentEndpoint } from '../fleet/agents.ts';
import { swaggerIndexEndpoint } from './openapi.ts';
import { systemSurface } from './system-endpoint.ts';

/** Serves the endpoints for which API Gateway has no route, and answers every other unknown path with a plain 404. */
export const fallbackEndpoints = [searchAgentEndpoint, swaggerIndexEndpoint];
export const handler = httpFunction(fallbackEndpoints, systemSurface);
