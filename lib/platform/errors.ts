/** What went wrong, in the few kinds a caller can act on. Each has one HTTP status. */
export const ERROR_STATUS = {
  bad_request: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  unprocessable: 422,
  rate_limited: 429,
  internal: 500,
  unavailable: 503,
} as const;
export type ErrorKind = keyof typeof ERROR_STATUS;

export interface ErrorOptions {
  /** The stable machine-readable code on the wire; the kind's own name where none is given. */
  code?: string;
  /** Facts for the caller's program. Never secrets, never another tenant's. */
  details?: Record<string, unknown>;
  cause?: unknown;
}

/** A failure its caller may see. Anything else that is thrown is logged whole and answered as an opaque internal error. */
export class AppError extends Error {
  override name = 'AppError';
  readonly kind: ErrorKind;
  readonly code: string;
  readonly details: Record<string, unknown> | undefined;

  constructor(kind: ErrorKind, message: string, { code = kind, details, cause }: ErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.code = code;
    this.details = details;
  }

  get status(): number {
    return ERROR_STATUS[this.kind];
  }
}

export const isAppError = (error: unknown, code?: string): error is AppError =>
  error instanceof AppError && (code === undefined || error.code === code);
