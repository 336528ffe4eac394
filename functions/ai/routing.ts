import { configurationEndpoints } from './routing-configuration.ts';
import { decisionEndpoints } from './routing-decisions.ts';
import { providerEndpoints } from './routing-providers.ts';
import { routingFunction } from './routing-surface.ts';

export const routingEndpoints = [...providerEndpoints, ...decisionEndpoints, ...configurationEndpoints];
export const handler = routingFunction(routingEndpoints);
