import type { IncomingMessage } from 'node:http';
import { expect, test } from '@jest/globals';
import { httpEventOf } from '../../infra/host/http/http-event-of.ts';

const requestFrom = (peer: string, headers: Record<string, string> = {}, url = '/a') =>
  ({ method: 'GET', url, headers, socket: { remoteAddress: peer } }) as unknown as IncomingMessage;
const addressOf = (request: IncomingMessage, proxies: number) => httpEventOf(request, proxies).requestContext.http.sourceIp;

test('a caller cannot claim another address if no proxy is trusted', () => {
  expect(addressOf(requestFrom('9.9.9.9', { 'x-forwarded-for': '1.1.1.1' }), 0)).toBe('9.9.9.9');
});

test("the caller's address behind trusted proxies is the one that the outermost of them saw", () => {
  const forged = { 'x-forwarded-for': '6.6.6.6, 1.1.1.1, 10.0.0.1' };
  expect(addressOf(requestFrom('10.0.0.2', forged), 1)).toBe('10.0.0.1');
  expect(addressOf(requestFrom('10.0.0.2', forged), 2)).toBe('1.1.1.1');
  expect(addressOf(requestFrom('10.0.0.2'), 1)).toBe('10.0.0.2');
});

test('the path and the query of a request stay as they were sent', () => {
  const event = httpEventOf(requestFrom('::1', {}, '/a%2Fb/%zz?x=%20&x=2'), 0);
  expect([event.rawPath, event.rawQueryString]).toEqual(['/a%2Fb/%zz', 'x=%20&x=2']);
});
