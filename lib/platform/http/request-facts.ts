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
  /**
   * Aborted, with a RequestAbandoned as its reason, when the answer is not wanted any more or can't be finished: the caller hung up, the
   * function's time is over, or the server shuts down. Only the last two leave some time to end a stream with words.
   */
  signal: AbortSignal;
  /** Headers for the answer, whatever it will be. Whoever handles the request may add to them; the answer's own headers win. */
  answerHeaders: Record<string, string>;
  /** Fields for the one log line of the request. Whoever handles the request may add to them. */
  noted: Record<string, unknown>;
}

/** Why a request's signal was aborted. */
export class RequestAbandoned extends Error {
  override name = 'RequestAbandoned';
  readonly why: 'client_closed' | 'time_over' | 'shutting_down';

  constructor(why: RequestAbandoned['why']) {
    super(why);
    this.why = why;
  }
}
