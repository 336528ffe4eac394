import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { HttpEvent } from '../../lib/platform/http/http-event.ts';
import { newId } from '../../lib/platform/ids.ts';

/**
 * The event API Gateway makes of a request (payload format 2.0). `trustedProxies` is the number of proxies of ours in front: the
 * caller's address is then the one that the outermost of them saw, and never one the caller has made up.
 */
export function httpEventOf(request: IncomingMessage, body: Buffer, trustedProxies: number): HttpEvent {
  const { method = 'GET', url = '/' } = request;
  const mark = url.indexOf('?');
  const rawPath = mark < 0 ? url : url.slice(0, mark);
  const headers: Record<string, string | undefined> = Object.create(null);
  for (const name in request.headers) {
    const value = request.headers[name];
    headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  const requestId = newId();
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString: mark < 0 ? '' : url.slice(mark + 1),
    headers,
    requestContext: {
      accountId: '',
      apiId: '',
      domainName: headers.host ?? '',
      domainPrefix: '',
      http: {
        method,
        path: rawPath,
        protocol: 'HTTP/1.1',
        sourceIp: sourceIpOf(request, headers['x-forwarded-for'], trustedProxies),
        userAgent: headers['user-agent'] ?? '',
      },
      requestId,
      routeKey: '$default',
      stage: '$default',
      time: '',
      timeEpoch: 0,
    },
    ...bodyOf(body),
  };
}

/** Text stays text: what is not UTF-8 travels as base64, so that its bytes arrive as they were sent. */
function bodyOf(body: Buffer): { body?: string; isBase64Encoded: boolean } {
  if (body.length === 0) return { isBase64Encoded: false };
  return isUtf8(body) ? { body: body.toString('utf8'), isBase64Encoded: false } : { body: body.toString('base64'), isBase64Encoded: true };
}

function sourceIpOf(request: IncomingMessage, forwardedFor: string | undefined, trustedProxies: number): string {
  const peer = request.socket.remoteAddress ?? '';
  if (trustedProxies === 0 || forwardedFor === undefined) return peer;
  const hops = forwardedFor.split(',').map((hop) => hop.trim());
  return hops[Math.max(0, hops.length - trustedProxies)] || peer;
}
