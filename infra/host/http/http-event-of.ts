import type { IncomingMessage } from 'node:http';
import type { HttpEvent } from '../../../lib/platform/http/http-event.ts';
import { newId } from '../../../lib/platform/ids.ts';

/**
 * The event that API Gateway makes of a request (payload format 2.0), without the body. `trustedProxies` is the number of trusted
 * proxies in front. The caller's address is the one that the outermost of them saw, and never one that the caller has forged.
 */
export function httpEventOf(request: IncomingMessage, trustedProxies: number): HttpEvent {
  const { method = 'GET' } = request;
  const url = originForm(request.url ?? '/');
  const mark = url.indexOf('?');
  const rawPath = mark < 0 ? url : url.slice(0, mark);
  const headers: Record<string, string | undefined> = Object.create(null);
  for (const name in request.headers) {
    const value = request.headers[name];
    headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  const protocol = trustedProxies > 0 ? hopOf(headers['x-forwarded-proto'], trustedProxies) : undefined;
  if (protocol === undefined) delete headers['x-forwarded-proto'];
  else headers['x-forwarded-proto'] = protocol.toLowerCase();
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
    isBase64Encoded: false,
  };
}

/** The path of a request target. A client that takes this server for a proxy sends `http://host/path`. */
function originForm(url: string): string {
  if (url.startsWith('/')) return url;
  const path = url.replace(/^https?:\/\/[^/?#]*/i, '');
  return path === url || path.startsWith('/') ? path : `/${path}`;
}

function sourceIpOf(request: IncomingMessage, forwardedFor: string | undefined, trustedProxies: number): string {
  const peer = request.socket.remoteAddress ?? '';
  return (trustedProxies > 0 && hopOf(forwardedFor, trustedProxies)) || peer;
}

/** The value that the outermost trusted proxy has added to a list. The values before it are the caller's own claims. */
function hopOf(list: string | undefined, trustedProxies: number): string | undefined {
  const hops = list?.split(',').map((hop) => hop.trim());
  return hops?.[Math.max(0, hops.length - trustedProxies)];
}
