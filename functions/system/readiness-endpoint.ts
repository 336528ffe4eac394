import * as z from 'zod';
import { AppError } from '../../lib/platform/errors.ts';
import { reply } from '../../lib/platform/http/endpoint.ts';
import { isReady } from './readiness.ts';
import { systemEndpoint, systemFunction } from './system-endpoint.ts';

const tag = 'system';
const TEXT = 'text/plain; charset=utf-8';
const text = (body: string, status = 200) =>
  reply<never>({ status, headers: { 'content-type': TEXT, 'cache-control': 'no-store' }, text: body });
const UNAVAILABLE = 'database unavailable';

export const readinessEndpoints = [
  systemEndpoint({
    id: 'readyz',
    method: 'GET',
    path: '/readyz',
    summary: 'Does the store answer, and can it be written?',
    tag,
    access: 'public',
    status: 200,
    responseType: TEXT,
    errors: ['unavailable'],
    handle: async ({ services }) => ((await isReady(services)) ? text('Ready') : text(UNAVAILABLE, 503)),
  }),
  systemEndpoint({
    id: 'health_ready',
    method: 'GET',
    path: '/health/ready',
    summary: 'Does the store answer, and can it be written? As JSON',
    tag,
    access: 'public',
    status: 200,
    description: '`degraded`: the queue refuses the records of calls, which wait in memory meanwhile. Calls are still answered.',
    response: z.object({ status: z.enum(['ready', 'degraded']), call_records_waiting: z.int().optional() }).meta({ id: 'Readiness' }),
    errors: ['unavailable'],
    async handle({ services }) {
      if (!(await isReady(services))) throw new AppError('unavailable', UNAVAILABLE);
      const records = services.waitingRecords?.();
      if (records?.status === 'degraded') return { status: 'degraded' as const, call_records_waiting: records.waiting };
      return { status: 'ready' as const };
    },
  }),
];
export const handler = systemFunction(readinessEndpoints);
