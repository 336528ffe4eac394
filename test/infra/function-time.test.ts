import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { httpGroups } from '../../functions/registry.ts';
import { consumerFor } from '../../lib/platform/events/consumer.ts';
import { defineEvent } from '../../lib/platform/events/domain-event.ts';
import { queueFunction } from '../../lib/platform/events/queue-function.ts';
import { scheduleFor, scheduleFunction } from '../../lib/platform/schedule.ts';
import { silent } from '../database/test-queues.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';

/** Lambda's context in a function that has no time left. */
const late = { getRemainingTimeInMillis: () => 0 };
const never = () => new Promise<never>(() => {});

describe('a function whose time runs out', () => {
  let host: TestHost;
  beforeAll(async () => {
    host = await startTestHost({ functions: { scheduleGroups: [], queueGroups: [] } });
  });
  afterAll(() => host.stop());

  test('a function whose time runs out answers its request with a logged 503 that has a request id and Retry-After', async () => {
    const { database } = host.app.services;
    const { get } = database;
    database.get = never;
    const http = { method: 'GET', path: '/api/v1/stacks', protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'test' };
    const event = { version: '2.0', rawPath: http.path, rawQueryString: '', routeKey: '$default', isBase64Encoded: false };
    const request = { ...event, headers: { authorization: host.adminPak }, requestContext: { http, requestId: 'r-1' } };
    const result = await httpGroups.find(({ name }) => name === 'stacks')?.handler(request as never, late);
    database.get = get;
    expect(result).toMatchObject({ statusCode: 503, headers: { 'x-request-id': 'r-1', 'retry-after': expect.any(String) } });
    expect(JSON.parse(result?.body ?? '{}')).toMatchObject({ code: 'unavailable' });
    expect(host.logged.some((line) => line.includes('"r-1"') && line.includes('"status":503'))).toBe(true);
  });

  test('a function whose time runs out returns the unfinished messages, and only those, as failed', async () => {
    const counted = defineEvent({ name: 'counted', schema: z.object({ slow: z.boolean() }) });
    const consumer = consumerFor<undefined>()({
      queue: 'q',
      events: [counted],
      handle: async (_services, { data }) => (data.slow ? never() : undefined),
    });
    const handler = queueFunction(consumer, async () => ({ log: silent, services: undefined, moveToDeadLetterQueue: never }));
    const Records = [true, false, true].map((slow, n) => ({
      messageId: `m${n}`,
      body: JSON.stringify({ id: `m${n}`, event: 'counted', data: { slow } }),
      attributes: { ApproximateReceiveCount: '1' },
    }));
    const result = await handler({ Records } as never, { getRemainingTimeInMillis: () => 550 });
    expect(result).toEqual({ batchItemFailures: [{ itemIdentifier: 'm0' }, { itemIdentifier: 'm2' }] });
  });

  test('a function whose time runs out aborts its schedule', async () => {
    const stopped = Promise.withResolvers<void>();
    const run = async (_services: unknown, signal?: AbortSignal) => {
      signal?.addEventListener('abort', () => stopped.resolve());
      await never();
    };
    const handler = scheduleFunction(scheduleFor<unknown>()({ name: 's', everySeconds: 60, run }), async () => ({ services: undefined }));
    await expect(handler({}, late)).rejects.toThrow();
    await stopped.promise;
  });
});
