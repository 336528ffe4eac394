import { expect, test } from '@jest/globals';
import { endpointFor } from '../../lib/platform/http/endpoint.ts';
import type { HttpEvent } from '../../lib/platform/http/http-event.ts';
import { httpFunction } from '../../lib/platform/http/http-function.ts';

const hello = endpointFor<undefined, undefined>()({
  id: 'hello',
  method: 'GET',
  path: '/hello',
  summary: '',
  access: 'public',
  status: 204,
  handle: async () => {},
});

test('a function that has nothing to work with yet asks its callers to come back, and composes anew for them', async () => {
  let composed = 0;
  const handler = httpFunction([hello], async () => {
    composed += 1;
    throw new Error('no such table: secret-name');
  });
  const event = { rawPath: '/hello', headers: {}, requestContext: { http: { method: 'GET' } } } as HttpEvent;
  for (const times of [1, 2]) {
    const { statusCode, headers, body } = await handler(event);
    expect({ statusCode, headers }).toMatchObject({ statusCode: 503, headers: { 'retry-after': '5' } });
    expect(JSON.parse(body ?? '')).toEqual({ code: 'unavailable', message: expect.any(String), error: expect.any(String) });
    expect(body).not.toContain('secret-name');
    expect(composed).toBe(times);
  }
});
