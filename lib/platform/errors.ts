/** The few kinds of failure that a caller can act on. Each surface has a table of their HTTP statuses. */
export type ErrorKind =
  | 'bad_request'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'timeout'
  | 'conflict'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'unprocessable'
  | 'rate_limited'
  | 'quota_exceeded'
  | 'internal'
  | 'unavailable'
  /** A service that this one depends on failed, or didn't answer in time. */
  | 'upstream_failed'
  | 'upstream_timeout';

export interface ErrorOptions {
  /** The stable machine-readable code on the wire; the kind's own name if absent. */
  code?: string;
  /** Facts for the caller's program. Never secrets, never another tenant's. */
  details?: Record<string, unknown>;
  /** When the caller may try again. */
  retryAfterSeconds?: number;
  cause?: unknown;
}

/** A failure that the caller may see. Any other error that is thrown is logged whole and answered as an opaque internal error. */
export class AppError extends Error {
  override name = 'AppError';
  readonly kind: ErrorKind;
  readonly code: string;
  readonly details: Record<string, unknown> | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(kind: ErrorKind, message: string, { code = kind, details, retryAfterSeconds, cause }: ErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.code = code;
    this.details = details;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export const isAppError = (error: unknown, code?: string): error is AppError =>
  error instanceof AppError && (code === undefined || error.code === code);
