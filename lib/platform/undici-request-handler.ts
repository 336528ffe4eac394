import { type Dispatcher, errors, Pool } from 'undici';

/** The parts of the SDK's request that a JSON-over-POST service uses. */
interface SdkRequest {
  protocol: string;
  hostname: string;
  port?: number;
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string | Uint8Array;
}

export interface UndiciHandlerOptions {
  /** Connections to one host at the most. */
  connections: number;
  connectTimeoutMs: number;
  /** From the request to the answer's headers, and between two chunks of its body. */
  responseTimeoutMs: number;
}

/**
 * An HTTP handler for the AWS SDK's clients over undici's pooled connections. Against the SDK's own over node:http it saves about a
 * sixth of a call's CPU, and every request of the product pays for a call.
 */
export function undiciRequestHandler({ connections, connectTimeoutMs, responseTimeoutMs }: UndiciHandlerOptions) {
  const pools = new Map<string, Pool>();
  const poolOf = (origin: string): Pool => {
    const known = pools.get(origin);
    if (known) return known;
    const timeouts = { connect: { timeout: connectTimeoutMs }, headersTimeout: responseTimeoutMs, bodyTimeout: responseTimeoutMs };
    const pool = new Pool(origin, { connections, ...timeouts });
    pools.set(origin, pool);
    return pool;
  };
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    async handle(
      { protocol, hostname, port, path, method, headers, body }: SdkRequest,
      { abortSignal }: { abortSignal?: AbortSignal } = {},
    ) {
      try {
        const response = await poolOf(`${protocol}//${hostname}${port ? `:${port}` : ''}`).request({
          method: method as Dispatcher.HttpMethod,
          path,
          headers,
          body: body ?? null,
          ...(abortSignal && { signal: abortSignal }),
        });
        return { response: { statusCode: response.statusCode, headers: response.headers, body: response.body } };
      } catch (error) {
        throw transient(error);
      }
    },
    updateHttpClientConfig: () => {},
    httpHandlerConfigs: () => ({}),
    destroy() {
      for (const pool of pools.values()) void pool.destroy();
      pools.clear();
    },
  };
}

/** The SDK retries an error called TimeoutError; undici's own names for a lost or silent connection mean nothing to it. */
export function transient(error: unknown): unknown {
  const { message, code }: { message?: unknown; code?: unknown } = Object(error);
  if (typeof code !== 'string' || error instanceof errors.RequestAbortedError) return error;
  const name = error instanceof errors.UndiciError ? 'TimeoutError' : 'Error';
  return Object.assign(new Error(String(message), { cause: error }), { name, code });
}
