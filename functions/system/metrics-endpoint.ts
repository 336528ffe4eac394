import { reply } from '../../lib/platform/http/endpoint.ts';
import { createMetrics } from '../../lib/platform/metrics.ts';
import { oncePerRuntime } from '../runtime.ts';
import { refreshGauges } from './fleet-gauges.ts';
import { systemEndpoint, systemFunction } from './system-endpoint.ts';

const EXPOSITION = 'text/plain; version=0.0.4';

/** This process's registry. A function that is alone in its process makes its own. */
const metricsOf = oncePerRuntime(({ metrics = createMetrics() }) => metrics);

export const metricsEndpoints = [
  systemEndpoint({
    id: 'metrics',
    method: 'GET',
    path: '/metrics',
    summary: 'Metrics for Prometheus',
    tag: 'system',
    description: 'Counters of this process, and gauges of the fleet that are less than a minute old.',
    access: 'public',
    status: 200,
    responseType: EXPOSITION,
    async handle({ services }) {
      const metrics = metricsOf(services);
      await refreshGauges(services, metrics);
      metrics.callRecordsWaiting.set(services.waitingRecords?.().waiting ?? 0);
      return reply<never>({ headers: { 'content-type': EXPOSITION }, text: await metrics.registry.metrics() });
    },
  }),
];
export const handler = systemFunction(metricsEndpoints);
