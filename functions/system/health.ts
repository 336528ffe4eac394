import { reply } from '../../lib/platform/http/endpoint.ts';
import { systemEndpoint, systemFunction } from './system-endpoint.ts';

const TEXT = 'text/plain; charset=utf-8';

const liveness = (id: string, path: `/${string}`) =>
  systemEndpoint({
    id,
    method: 'GET',
    path,
    summary: 'Is the process alive?',
    tag: 'system',
    description: 'Does not read the store: a restart of the process would not bring an unavailable store back.',
    access: 'public',
    status: 200,
    responseType: TEXT,
    handle: async () => reply<never>({ headers: { 'content-type': TEXT, 'cache-control': 'no-store' }, text: 'OK' }),
  });

export const healthEndpoints = [liveness('healthz', '/healthz'), liveness('health', '/health'), liveness('health_live', '/health/live')];
export const handler = systemFunction(healthEndpoints);
