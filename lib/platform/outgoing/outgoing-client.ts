import { Agent, type Dispatcher } from 'undici';
import { type BoundedCache, createBoundedCache } from '../bounded-cache.ts';
import { type AddressPolicy, checkAddresses, checkUrl, hostOf } from './address-guard.ts';
import { checkedConnector, type Resolver, systemResolver } from './checked-connector.ts';
import { callHandler } from './outgoing-call.ts';
import { OutgoingFailure } from './outgoing-failure.ts';

export interface OutgoingRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  url: string;
  headers: Readonly<Record<string, string>>;
  body?: string | Uint8Array | undefined;
  /** Ends the call, and closes its connection, as soon as it is aborted. */
  signal?: AbortSignal | undefined;
  timeouts: OutgoingTimeouts;
  /** The largest body that is accepted, in bytes. */
  limitBytes: number;
}

export interface OutgoingTimeouts {
  /** To get a connection: a free one of the pool, or a new one. */
  connectMs: number;
  /** From the connection to the head of the answer. */
  firstByteMs: number;
  /** Between two pieces of the body, while somebody waits for the next one. */
  idleMs: number;
  /** For the whole call, the body included. */
  totalMs: number;
}

export interface OutgoingAnswer {
  /** Redirects are answers like any other: nobody follows them. */
  status: number;
  /** Lower-case names; a header that came several times is joined with commas. */
  headers: Readonly<Record<string, string>>;
  /**
   * The pieces as they arrived. Reading slowly slows the sender down. It can be read once, and whoever doesn't read it to its end calls
   * `return` on it (as `break` in a loop does), so that the connection is closed.
   */
  body: AsyncIterable<Uint8Array>;
}

export interface OutgoingClient {
  /** Rejects with an OutgoingFailure. The body rejects with one, too, if it does not arrive whole. */
  send(request: OutgoingRequest): Promise<OutgoingAnswer>;
  /** Throws `forbidden_address` if this URL may not be called, as far as its host's addresses of this moment tell. */
  check(url: string): Promise<void>;
  close(): Promise<void>;
}

export interface OutgoingOptions extends AddressPolicy {
  /** The system's own if absent. */
  resolve?: Resolver;
  /** The most connections to one origin; calls beyond it wait for `connectMs`. */
  connections?: number;
}

/** An upper limit for connections that nobody waits for any more. */
const CONNECT_MS = 10_000;
/** Shorter than the usual time after which servers close an idle connection, so that a call seldom meets one that is being closed. */
const KEEP_ALIVE_MS = 20_000;
const CONNECTIONS = 512;
const ORIGINS = 2_000;
const KNOWN_URLS = 1_000;

interface Target {
  origin: string;
  path: string;
}

/** The one way out to addresses that customers choose. Connections are kept and reused. */
export function createOutgoingClient({
  allowPrivate,
  resolve = systemResolver,
  connections = CONNECTIONS,
}: OutgoingOptions): OutgoingClient {
  const policy: AddressPolicy = { allowPrivate };
  const agent = new Agent({
    connect: checkedConnector(policy, resolve, CONNECT_MS),
    connections,
    maxOrigins: ORIGINS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    // The call has its own limits.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const targets: BoundedCache<Target> = createBoundedCache(KNOWN_URLS);

  function targetOf(text: string): Target {
    const known = targets.get(text);
    if (known) return known;
    const url = checkUrl(text, policy);
    const target = { origin: url.origin, path: url.pathname + url.search };
    targets.set(text, target);
    return target;
  }

  return {
    async send(request) {
      if (request.signal?.aborted) throw new OutgoingFailure('aborted', 'the call was given up before it began');
      const { origin, path } = targetOf(request.url);
      const { handler, answer } = callHandler(request);
      const { method, headers, body = null } = request;
      // Answers are passed on and looked into, so they must come uncompressed.
      agent.dispatch(
        { origin, path, method, headers: { 'accept-encoding': 'identity', ...headers }, body },
        handler as Dispatcher.DispatchHandler,
      );
      return answer;
    },
    async check(text) {
      const url = checkUrl(text, policy);
      const addresses = await resolve(hostOf(url)).catch((cause: unknown) => {
        throw new OutgoingFailure('connect', 'the host is not known', { cause });
      });
      checkAddresses(
        addresses.map(({ address }) => address),
        url.protocol,
        policy,
      );
    },
    close: () => agent.destroy(),
  };
}
