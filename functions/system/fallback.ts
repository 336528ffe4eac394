import { searchAgentEndpoint } from '../fleet/agents.ts';
import { fleetFunction } from '../fleet/fleet-endpoint.ts';
import { swaggerIndexEndpoint } from './openapi.ts';

/** Answers whatever no other function's paths match: the paths API Gateway has no route for, and a plain 404 for the rest. */
export const fallbackEndpoints = [searchAgentEndpoint, swaggerIndexEndpoint];
export const handler = fleetFunction(fallbackEndpoints);
