import { describe, expect, test } from '@jest/globals';
import { bodySizeOf, factsOf, type HttpEvent } from '../../lib/platform/http/http-event.ts';
import { createLog } from '../../lib/platform/log.ts';

const log = createLog({ write: () => {} });
const request = (path: string): HttpEvent => ({
  version: '2.0',
  routeKey: '$default',
  rawPath: path,
  rawQueryString: '',
  headers: {},
  isBase64Encoded: false,
  requestContext: {
    accountId: '',
    apiId: '',
    domainName: '',
    domainPrefix: '',
    http: { method: 'DELETE', path, protocol: 'HTTP/1.1', sourceIp: '203.0.113.9', userAgent: 'kubectl' },
    requestId: 'r',
    routeKey: '$default',
    stage: '$default',
    time: '',
    timeEpoch: 0,
  },
});
const pathOf = (event: HttpEvent) => factsOf(event, log).path;

describe('a request through API Gateway, which decodes paths', () => {
  const routed = (rawPath: string, template: string, pathParameters: Record<string, string>): HttpEvent => ({
    ...request(rawPath),
    routeKey: `ANY ${template}`,
    pathParameters,
  });

  test('a slash inside a path parameter stays inside it, although API Gateway decodes paths', () => {
    const template = '/api/v1/stacks/{id}/annotations/{key+}';
    const event = routed('/api/v1/stacks/7/annotations/example.com/team', template, { id: '7', key: 'example.com/team' });
    expect(pathOf(event)).toBe('/api/v1/stacks/7/annotations/example.com%2Fteam');
  });

  test.each(['100%', 'a%2Fb', 'a?b#c', 'ü 😀', '..'])(
    'the path parameter %p arrives as it was sent, although API Gateway decodes paths',
    (label) => {
      const event = routed(`/api/v1/stacks/7/labels/${label}`, '/api/v1/stacks/{id}/labels/{label+}', { id: '7', label });
      expect(decodeURIComponent(pathOf(event).split('/')[6] ?? '')).toBe(label);
    },
  );

  test('below a route that takes everything, each segment arrives as it was meant', () => {
    const event = routed('/api/v1/agents/7/targets/100% ü', '/api/v1/agents/{id}/{below+}', { id: '7', below: 'targets/100% ü' });
    expect(pathOf(event)).toBe('/api/v1/agents/7/targets/100%25%20%C3%BC');
  });

  test('the path of a route without parameters, and of the default route, is the raw path', () => {
    expect(pathOf({ ...request('/api/v1/agents'), routeKey: 'ANY /api/v1/agents' })).toBe('/api/v1/agents');
    expect(pathOf(request('/api/v1/agents/'))).toBe('/api/v1/agents/');
  });

  test('a missing body has a size of zero bytes', () => {
    expect(bodySizeOf(request('/'))).toBe(0);
    expect(bodySizeOf({ ...request('/'), body: null as never })).toBe(0);
  });
});
