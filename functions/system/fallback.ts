import { searchAgentEndpoint } from '../fleet/agents.ts';
import { fleetFunction } from '../fleet/fleet-endpoint.ts';

/** Answers whatever no other function's paths match: the one path API Gateway has no route for, and a plain 404 for the rest. */
export const fallbackEndpoints = [searchAgentEndpoint];
export const handler = fleetFunction(fallbackEndpoints);
