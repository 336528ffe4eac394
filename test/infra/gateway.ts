import type { HttpGroup } from '../../functions/registry.ts';
import type { HttpEvent } from '../../lib/platform/http/http-event.ts';
import type { LambdaAnswer } from '../../lib/platform/http/lambda-answer.ts';
import type { Answer, Api, Call } from '../harness/client.ts';
import { createChoice, gatewayRoutes } from './gateway-route.ts';

/** API Gateway's part: which group serves a path, and the event its function gets. Paths and parameters arrive decoded, as there. */
export function createGateway(groups: readonly HttpGroup[], fallback: HttpGroup) {
  const choose = createChoice(gatewayRoutes().filter((route) => groups.some(({ name }) => name === route.function)));
  return (
    method: string,
    url: string,
    headers: Record<string, string>,
    body: string | undefined,
  ): { group: HttpGroup; event: HttpEvent } => {
    const [rawPath = '', rawQueryString = ''] = url.split('?');
    const path = decodeURIComponent(rawPath);
    const chosen = choose(path);
    const pathParameters = chosen?.parameters ?? {};
    const routeKey = chosen ? `ANY ${chosen.route.template}` : '$default';
    const http = { method, path, protocol: 'HTTP/1.1', sourceIp: '203.0.113.9', userAgent: 'test' };
    const context = { accountId: '', apiId: '', domainName: '', domainPrefix: '', stage: '$default', time: '', timeEpoch: 0 };
    return {
      group: groups.find(({ name }) => name === chosen?.route.function) ?? fallback,
      event: {
        version: '2.0',
        routeKey,
        rawPath: path,
        rawQueryString,
        headers,
        requestContext: { ...context, http, routeKey, requestId: `${method} ${path}` },
        ...(Object.keys(pathParameters).length > 0 && { pathParameters }),
        ...(body !== undefined && { body }),
        isBase64Encoded: false,
      },
    };
  };
}
/** The tests' usual client, without a network between it and what answers. */
export function apiOver(
  answer: (method: string, url: string, headers: Record<string, string>, body: string | undefined) => Promise<LambdaAnswer>,
  pak?: string,
  base = '/api/v1',
): Api {
  async function send(method: string, path: string, value?: unknown, { headers = {}, contentType }: Call = {}): Promise<Answer> {
    const type = contentType === undefined && value !== undefined ? 'application/json' : contentType;
    const all = { ...(pak !== undefined && { authorization: pak }), ...(type && { 'content-type': type }), ...headers };
    const set = Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
    const text = value === undefined || (contentType !== undefined && typeof value === 'string') ? value : JSON.stringify(value);
    const result = await answer(method, `${base}${path}`, set, text === undefined ? undefined : String(text));
    const received = Object.entries(result.headers ?? {}).map(([name, header]) => [name, String(header)]);
    return { status: result.statusCode ?? 0, headers: Object.fromEntries(received), text: result.body ?? '', body: parsed(result.body) };
  }
  return {
    send,
    get: (path, call) => send('GET', path, undefined, call),
    head: (path, call) => send('HEAD', path, undefined, call),
    post: (path, body, call) => send('POST', path, body, call),
    put: (path, body, call) => send('PUT', path, body, call),
    patch: (path, body, call) => send('PATCH', path, body, call),
    delete: (path, body, call) => send('DELETE', path, body, call),
    as: (other) => apiOver(answer, other, base),
  };
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
