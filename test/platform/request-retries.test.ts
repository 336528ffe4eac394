import { expect, test } from '@jest/globals';
import * as z from 'zod';
import { type Clock, systemClock } from '../../lib/platform/clock.ts';
import { createRetry } from '../../lib/platform/database/retry.ts';
import { endpointFor } from '../../lib/platform/http/endpoint.ts';
import type { HttpEvent } from '../../lib/platform/http/http-event.ts';
import { httpFunction } from '../../lib/platform/http/http-function.ts';
import { testSurface } from './test-surface.ts';

/** Each call fails four times before it succeeds. That takes 150 ms of waiting on average, well within the limits of one call. */
const FAULTS_A_CALL = 4;
const CALLS = 40;

/** Runs many calls to a store that fails with this fault, on a clock that only waiting moves. */
function manyCalls(fault: string) {
  let waitedMs = 0;
  const clock: Clock = {
    ...systemClock,
    monotonicMs: () => waitedMs,
    sleep: async (ms) => {
      waitedMs += ms;
    },
  };
  const retry = createRetry(clock);
  const work = async () => {
    for (let call = 0; call < CALLS; call++) {
      let faults = FAULTS_A_CALL;
      const send = async () => {
        if (faults-- > 0) throw Object.assign(new Error('refused'), { name: fault });
      };
      await retry(send, { repeatable: true });
    }
  };
  return { work, waitedMs: () => waitedMs };
}

const surface = testSurface();
const serving = (work: () => Promise<void>) =>
  httpFunction(
    [
      endpointFor(surface)({ id: 'read', method: 'GET', path: '/work', summary: '', access: 'public', status: 204, handle: work }),
      endpointFor(surface)({
        id: 'write',
        method: 'POST',
        path: '/work',
        summary: '',
        access: 'public',
        body: z.unknown(),
        status: 204,
        handle: work,
      }),
    ],
    surface,
  );
const CONTENT: Partial<HttpEvent> = { headers: { 'content-type': 'application/json' }, body: '{}' };
const request = (method: string) =>
  ({ rawPath: '/work', rawQueryString: '', routeKey: '$default', requestContext: { http: { method } }, ...CONTENT }) as HttpEvent;

test.each(['GET', 'POST'])(
  'a %s of many calls to a store that is short of capacity ends within the time of one, with a 503',
  async (method) => {
    const { work, waitedMs } = manyCalls('ThrottlingException');
    const { statusCode, headers } = await serving(work)(request(method));
    expect({ statusCode, headers }).toMatchObject({ statusCode: 503, headers: { 'retry-after': '2' } });
    expect(waitedMs()).toBeLessThanOrEqual(1_500);
  },
);

test('each request has a time for retries of its own', async () => {
  const { work } = manyCalls('ThrottlingException');
  const first = createRetry({ ...systemClock, monotonicMs: () => 0, sleep: async () => {} });
  let calls = 0;
  const handler = serving(async () => {
    calls += 1;
    if (calls === 1) return work();
    let faults = FAULTS_A_CALL;
    await first(
      async () => {
        if (faults-- > 0) throw Object.assign(new Error('refused'), { name: 'ThrottlingException' });
      },
      { repeatable: true },
    );
  });
  expect((await handler(request('GET'))).statusCode).toBe(503);
  expect((await handler(request('GET'))).statusCode).toBe(204);
});

test('work outside of a request continues, however many of its calls are throttled', async () => {
  const { work, waitedMs } = manyCalls('ThrottlingException');
  await work();
  expect(waitedMs()).toBeGreaterThan(1_500);
});

test('a request whose calls meet conflicts continues, because others make progress', async () => {
  const { work } = manyCalls('TransactionConflictException');
  expect((await serving(work)(request('GET'))).statusCode).toBe(204);
});
