import { reply } from '../../lib/platform/http/endpoint.ts';
import { endpoint, fleetFunction } from '../fleet/fleet-endpoint.ts';
import { refreshGauges } from './fleet-gauges.ts';

const EXPOSITION = 'text/plain; version=0.0.4';

export const metricsEndpoints = [
  endpoint({
    id: 'metrics',
    method: 'GET',
    path: '/metrics',
    summary: 'Metrics for Prometheus',
    tag: 'system',
    description: 'What this process has counted, and gauges of the fleet that are at most half a minute old.',
    access: 'public',
    status: 200,
    responseType: EXPOSITION,
    async handle({ services }) {
      await refreshGauges(services);
      return reply<never>({ headers: { 'content-type': EXPOSITION }, text: await services.metrics.registry.metrics() });
    },
  }),
];
export const handler = fleetFunction(metricsEndpoints);
