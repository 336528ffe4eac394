import { httpFunction } from '../../lib/platform/http/http-function.ts';
import { searchAgentEndpoint } from '../fleet/agents.ts';
import { swaggerIndexEndpoint } from './openapi.ts';
import { systemSurface } from './system-endpoint.ts';

/** Answers whatever no other function's paths match: the paths API Gateway has no route for, and a plain 404 for the rest. */
export const fallbackEndpoints = [searchAgentEndpoint, swaggerIndexEndpoint];
export const handler = httpFunction(fallbackEndpoints, systemSurface);
