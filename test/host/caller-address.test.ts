import type { IncomingMessage } from 'node:http';
import { expect, test } from '@jest/globals';
import { httpEventOf } from '../../infra/host/http-event-of.ts';

const requestFrom = (peer: string, headers: Record<string, string> = {}, url = '/a') =>
  ({ method: 'GET', url, headers, socket: { remoteAddress: peer } }) as unknown as IncomingMessage;
const addressOf = (request: IncomingMessage, proxies: number) => httpEventOf(request, proxies).requestContext.http.sourceIp;

test('without a proxy of ours nobody can claim another address', () => {
  expect(addressOf(requestFrom('9.9.9.9', { 'x-forwarded-for': '1.1.1.1' }), 0)).toBe('9.9.9.9');
});

test('behind proxies of ours the address is the one the outermost of them saw', () => {
  const forged = { 'x-forwarded-for': '6.6.6.6, 1.1.1.1, 10.0.0.1' };
  expect(addressOf(requestFrom('10.0.0.2', forged), 1)).toBe('10.0.0.1');
  expect(addressOf(requestFrom('10.0.0.2', forged), 2)).toBe('1.1.1.1');
  expect(addressOf(requestFrom('10.0.0.2'), 1)).toBe('10.0.0.2');
});

test('the path stays as it was sent', () => {
  const event = httpEventOf(requestFrom('::1', {}, '/a%2Fb/%zz?x=%20&x=2'), 0);
  expect([event.rawPath, event.rawQueryString]).toEqual(['/a%2Fb/%zz', 'x=%20&x=2']);
});
