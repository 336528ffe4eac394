import type { Log } from '../log.ts';

/** The facts of a request that are neither path, query nor body. */
export interface RequestFacts {
  /** Unique for each request. Every log line and the answer's X-Request-Id contain it. */
  requestId: string;
  method: string;
  path: string;
  /** Lower-case names. */
  headers: Readonly<Record<string, string | undefined>>;
  ip: string | undefined;
  /** Whether the caller's connection is HTTPS, as far as a trusted proxy says so. */
  secure: boolean;
  userAgent: string | undefined;
  log: Log;
}
