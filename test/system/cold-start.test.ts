import { beforeAll, expect, test } from '@jest/globals';
import { fallbackGroup, httpGroups } from '../../functions/registry.ts';
import { createRuntime, setRuntime } from '../../functions/runtime.ts';
import { loadConfig } from '../../lib/platform/config.ts';
import { createLog } from '../../lib/platform/log.ts';
import { apiOver, createGateway } from '../infra/gateway.ts';

/** An address without a server. */
const NOWHERE = 'http://127.0.0.1:1';
const logged: string[] = [];
const gateway = createGateway(httpGroups, fallbackGroup);
const api = apiOver(
  (...request) => {
    const { group, event } = gateway(...request);
    return group.handler(event);
  },
  'brokkr_BRabcdef_1111111111111111111111111111111111',
  '',
);

beforeAll(() => {
  const config = loadConfig({ DYNAMODB_ENDPOINT: NOWHERE, SQS_ENDPOINT: NOWHERE });
  setRuntime(createRuntime(config, { log: createLog({ write: (line) => logged.push(line) }) }));
});

test.each(['/healthz', '/health', '/health/live', '/swagger-ui', '/swagger-ui/', '/openapi', '/docs/openapi.json'])(
  '%s is answered on a cold start while the store is unavailable',
  async (path) => {
    expect((await api.get(path)).status).toBe(200);
  },
);

test('an unknown path is answered with 404 on a cold start while the store is unavailable', async () => {
  expect((await api.get('/nowhere')).status).toBe(404);
});

test('a preflight is answered on a cold start while the store is unavailable', async () => {
  const answer = await api.send('OPTIONS', '/api/v1/stacks', undefined, { headers: { origin: 'http://localhost:3001' } });
  expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([200, 'http://localhost:3001']);
});

test('the readiness probe answers 503 on a cold start while the store is unavailable', async () => {
  expect((await api.get('/readyz')).status).toBe(503);
});

test("the fleet's endpoints answer 503 with Retry-After while the store is unavailable, and log the reason", async () => {
  const answer = await api.get('/api/v1/stacks');
  expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '5' }, body: { code: 'unavailable' } });
  expect(logged.filter((line) => line.includes('request_failed') && line.includes('ECONNREFUSED'))).not.toEqual([]);
});
