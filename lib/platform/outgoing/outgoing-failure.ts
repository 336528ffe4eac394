/**
 * `forbidden_address`: the address is private, or the URL is not one that may be called. `connect`: no connection came about. `timeout`:
 * one of the call's time limits passed. `reset`: the connection ended early, or spoke no HTTP. `too_large`: the answer is larger than its
 * limit. `aborted`: the call's own signal was aborted.
 */
export type OutgoingReason = 'forbidden_address' | 'connect' | 'timeout' | 'reset' | 'too_large' | 'aborted';

/** A call that got no answer, or only a part of one. The message names neither the URL's path nor any header. */
export class OutgoingFailure extends Error {
  override name = 'OutgoingFailure';
  readonly reason: OutgoingReason;
  /** Which of the time limits passed. */
  readonly limit: 'connect' | 'first_byte' | 'idle' | 'total' | undefined;

  constructor(reason: OutgoingReason, message: string, { cause, limit }: { cause?: unknown; limit?: OutgoingFailure['limit'] } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
    this.limit = limit;
  }
}
