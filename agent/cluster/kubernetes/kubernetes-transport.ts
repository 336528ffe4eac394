import { type Dispatcher, Pool, ProxyAgent } from 'undici';
import { type Clock, systemClock } from '../../../lib/platform/clock.ts';
import { type Log, silentLog } from '../../../lib/platform/log.ts';
import { ClusterError } from '../cluster.ts';
import type { KubernetesAccess, KubernetesAccessSource } from './kubernetes-access.ts';
import { clusterErrorOf, noAnswer } from './kubernetes-errors.ts';

export interface KubernetesRequest {
  method: 'GET' | 'PATCH' | 'DELETE';
  /** With its query, below the server's own path. */
  path: string;
  body?: unknown;
  contentType?: string;
  accept?: string | undefined;
  /** The answer is a text, not JSON. */
  asText?: boolean;
  signal?: AbortSignal | undefined;
}

/** Raw JSON in, raw JSON out. Rejects with a ClusterError, or with the signal's own reason. */
export interface KubernetesTransport {
  send(request: KubernetesRequest): Promise<unknown>;
  close(): Promise<void>;
}

export interface KubernetesTransportOptions {
  access: KubernetesAccessSource;
  maxConnections?: number | undefined;
  requestTimeoutMs?: number | undefined;
  log?: Log | undefined;
  clock?: Clock | undefined;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** Shorter than the idle timeouts of the balancers before API servers, so that a connection is not used the moment it is dropped. */
const KEEP_ALIVE_MS = 30_000;
/** No single answer of an API server is near this: etcd holds objects of 1.5 MiB, a page has at most 500. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

/**
 * HTTP/1.1 with a pool of kept-alive connections. One HTTP/2 connection was no faster for 500 applies at 32 in flight (1.5 s each on
 * two busy cores), and a connection that died silently takes only its own request along instead of all of them.
 */
export function kubernetesTransport({
  access,
  maxConnections = 64,
  requestTimeoutMs = 30_000,
  log = silentLog,
  clock = systemClock,
}: KubernetesTransportOptions): KubernetesTransport {
  let connected: Connection | undefined;

  const connectionTo = (to: KubernetesAccess): Connection => {
    if (connected?.key === to.connectionKey) return connected;
    if (!to.tls.rejectUnauthorized) log.warn('cluster_tls_unverified', { server: to.server });
    // Requests under way on the old connections are answered on them.
    void connected?.dispatcher.close().catch(() => {});
    const { origin, pathname } = new URL(to.server);
    const dispatcher = openConnections(to, maxConnections, requestTimeoutMs);
    connected = { key: to.connectionKey, dispatcher, origin, basePath: pathname.replace(/\/$/, '') };
    return connected;
  };

  const attempt = async (request: KubernetesRequest, body: string | undefined, as: KubernetesAccess): Promise<Answer> => {
    const limit = timeLimit(requestTimeoutMs, request.signal);
    try {
      const { dispatcher, origin, basePath } = connectionTo(as);
      const answer = await dispatcher.request({
        origin,
        method: request.method,
        path: `${basePath}${request.path}`,
        headers: {
          'user-agent': 'brokkr-agent',
          accept: request.accept ?? 'application/json',
          ...(body !== undefined && { 'content-type': request.contentType ?? 'application/json' }),
          ...as.headers,
        },
        signal: limit.signal,
        ...(body !== undefined && { body }),
      });
      const retryAfter = answer.headers['retry-after'];
      return {
        status: answer.statusCode,
        retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter,
        body: await answer.body.text(),
      };
    } catch (error) {
      request.signal?.throwIfAborted();
      throw noAnswer(`${request.method} ${as.server}${request.path.replace(/\?.*/, '')}`, error);
    } finally {
      limit.end();
    }
  };

  return {
    send: async (request) => {
      request.signal?.throwIfAborted();
      const body = request.body === undefined ? undefined : JSON.stringify(request.body);
      const as = await access.current();
      let answer = await attempt(request, body, as);
      if (answer.status === 401) {
        // The token may have been replaced since it was read. The server did nothing, so that asking again is safe.
        log.info('cluster_credentials_refused', { server: as.server });
        answer = await attempt(request, body, await access.refresh());
      }
      if (answer.status >= 400) throw clusterErrorOf({ ...answer, nowMs: clock.nowMs() });
      return request.asText ? answer.body : parseAnswer(answer);
    },
    close: async () => {
      const { dispatcher } = connected ?? {};
      connected = undefined;
      await dispatcher?.close();
    },
  };
}

interface Connection {
  key: string;
  dispatcher: Dispatcher;
  origin: string;
  /** Set if the API server is not at the root of its host. */
  basePath: string;
}

interface Answer {
  status: number;
  retryAfter: string | undefined;
  body: string;
}

function openConnections({ server, proxyUrl, tls }: KubernetesAccess, connections: number, requestTimeoutMs: number): Dispatcher {
  const shared = {
    connections,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: requestTimeoutMs,
    bodyTimeout: requestTimeoutMs,
    maxResponseSize: MAX_ANSWER_BYTES,
  };
  const connect = { ...tls, timeout: CONNECT_TIMEOUT_MS };
  if (proxyUrl === undefined) return new Pool(new URL(server).origin, { ...shared, connect });
  if (!/^https?:/.test(proxyUrl)) throw new Error('only http and https proxies are supported');
  return new ProxyAgent({ ...shared, uri: proxyUrl, requestTls: connect });
}

function parseAnswer({ status, body }: Answer): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new ClusterError(`the API server answered ${status} with something that is not JSON`, { status: 502, reason: 'BadAnswer' });
  }
}

/** Aborts when the time is up or the caller gives up. Unlike the runtime's combined signals it lets go of both as soon as it ends. */
function timeLimit(timeoutMs: number, signal: AbortSignal | undefined): { signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const giveUp = () => controller.abort(signal?.reason);
  const expire = () => controller.abort(Object.assign(new Error(`no answer within ${timeoutMs / 1000} s`), { code: 'Timeout' }));
  const timer = setTimeout(expire, timeoutMs);
  signal?.addEventListener('abort', giveUp, { once: true });
  return {
    signal: controller.signal,
    end: () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    },
  };
}
