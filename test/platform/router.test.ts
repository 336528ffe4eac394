import { describe, expect, test } from '@jest/globals';
import type { AnyEndpoint, Method } from '../../lib/platform/http/endpoint.ts';
import { createRouter } from '../../lib/platform/http/router.ts';
import { testSurface } from './test-surface.ts';

const surface = testSurface();
const endpoint = (
  method: Method,
  path: `/${string}`,
  access: AnyEndpoint['access'] = { who: 'anyone', principals: [], check: () => {} },
): AnyEndpoint => ({
  surface,
  id: `${method} ${path}`,
  method,
  path,
  summary: '',
  access,
  status: 200,
  handle: async () => undefined,
});
const route = createRouter([
  endpoint('GET', '/agents'),
  endpoint('POST', '/agents'),
  endpoint('GET', '/agents/'),
  endpoint('GET', '/agents/{id}'),
  endpoint('GET', '/agents/own'),
  endpoint('GET', '/agents/{id}/labels/{label}'),
  endpoint('GET', '/agents/own/labels'),
  endpoint('GET', '/healthz', 'public'),
]);
const found = (method: string, path: string) => {
  const match = route(method, path);
  return match.kind === 'endpoint' ? [match.endpoint.id, { ...match.params }] : match.kind;
};

describe('the router', () => {
  test.each([
    ['/agents', 'GET /agents', {}],
    ['/agents/', 'GET /agents/', {}],
    ['/agents/7', 'GET /agents/{id}', { id: '7' }],
    ['/agents/own', 'GET /agents/own', {}],
    ['/agents/own/labels', 'GET /agents/own/labels', {}],
    ['/agents/own/labels/x', 'GET /agents/{id}/labels/{label}', { id: 'own', label: 'x' }],
    ['/agents/7/labels/a%2Fb%20c', 'GET /agents/{id}/labels/{label}', { id: '7', label: 'a/b c' }],
    // A segment that cannot be decoded stays as it is, for the parameter's rule to refuse.
    ['/agents/%zz', 'GET /agents/{id}', { id: '%zz' }],
    ['/agents/__proto__', 'GET /agents/{id}', { id: '__proto__' }],
  ])('the router finds for %s the endpoint %s', (path, id, params) => {
    expect(found('GET', path)).toEqual([id, params]);
  });

  test.each(['/', '', '/agent', '/agents//labels/x', '/agents/7/labels/', '/agents/7/', '/AGENTS', '//agents'])(
    'the router finds nothing for %p',
    (path) => {
      expect(found('GET', path)).toBe('not-found');
    },
  );

  test('the router finds the GET endpoint for HEAD', () => {
    expect(found('HEAD', '/agents')).toEqual(['GET /agents', {}]);
  });

  test('the router returns the allowed methods for a wrong method, and whether a key must be checked first', () => {
    expect(route('DELETE', '/agents')).toEqual({
      kind: 'method-not-allowed',
      allow: ['GET', 'HEAD', 'POST'],
      surface,
      authenticated: true,
    });
    expect(route('POST', '/healthz')).toEqual({ kind: 'method-not-allowed', allow: ['GET', 'HEAD'], surface, authenticated: false });
  });

  test('the router refuses two endpoints with the same method and path', () => {
    expect(() => createRouter([endpoint('GET', '/a/{x}'), endpoint('GET', '/a/{y}')])).toThrow('two endpoints answer GET /a/{y}');
  });
});
