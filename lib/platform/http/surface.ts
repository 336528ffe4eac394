import type { AppError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { CorsOrigins, CorsRules } from './cors.ts';
import type { AnyEndpoint } from './endpoint.ts';
import type { HttpResult } from './http-event.ts';
import type { RequestFacts } from './request-facts.ts';
import type { InputPart, Issue } from './validation.ts';

/** An answer as metrics count it. `route` is the endpoint's path with `:id` for its parameters, or `unmatched`. */
export interface Answered {
  route: string;
  method: string;
  status: number;
  seconds: number;
}

/** The services that each request needs before anything is composed. */
export interface SurfaceBase {
  log: Log;
  observe?(answer: Answered): void;
}

/**
 * A family of endpoints with one way to authenticate, to answer and to refuse. It has its own kinds of principal, its own services and
 * its own shapes on the wire. An endpoint belongs to one surface; a function may serve endpoints of several.
 */
export interface Surface<Services, Principal> extends Partial<CorsRules> {
  name: string;
  /** Reads nothing but the configuration, so that a request is logged and answered even if the store is unavailable. */
  base(): SurfaceBase;
  /** Composes the services at the first call. Rejects with `unavailable` while composition fails. */
  services(): Promise<Services>;
  /** Turns credentials into a principal, or throws `unauthenticated`. */
  authenticate(request: RequestFacts): Promise<Principal>;
  /** The caller as the log line names it. */
  describe(principal: Principal): { type: string; id?: string };
  /** The answer with this body, which was checked before. `meta` is what the endpoint adds beside the body. */
  renderSuccess(status: number, json: string, request: RequestFacts, meta?: Record<string, unknown>): HttpResult;
  renderError(error: AppError, request: RequestFacts): HttpResult;
  /** The answer for a path that no endpoint has. */
  notFound(request: RequestFacts): HttpResult;
  /** The answer for a method that the path doesn't have; the `Allow` header is added to it. */
  methodNotAllowed(request: RequestFacts): HttpResult;
  /** The error for input that breaks rules. */
  invalid(part: InputPart, issues: readonly Issue[]): AppError;
  /** Web pages of these origins may call. What they may send and read is the fleet's, unless the surface has rules of its own. */
  cors(): CorsOrigins;
  /** The id of the request with these headers; API Gateway's if absent. */
  requestId?(headers: RequestFacts['headers']): string;
  /**
   * Counts the request against the caller's limits, or throws `rate_limited`. It runs after authentication and before anything else is
   * checked, for unknown paths and refused credentials too. Both are undefined where they are not known. What it adds to `request.answerHeaders` is in every
   * answer, its own refusal included.
   */
  limit?(request: RequestFacts, known: { principal?: Principal | undefined; endpoint?: AnyEndpoint }): void | Promise<void>;
  /** Learns of a failure before it is answered. It never rejects. Both are undefined where they are not known. */
  refused?(
    error: AppError,
    request: RequestFacts,
    known: { principal?: Principal | undefined; endpoint?: AnyEndpoint | undefined },
  ): Promise<void>;
  /** Headers for every answer, refusals included. An endpoint's own headers win. `principal` is undefined before it is known. */
  headers(request: RequestFacts, principal?: Principal): Record<string, string>;
}

// biome-ignore lint/suspicious/noExplicitAny: a function may serve endpoints of several surfaces
export type AnySurface = Surface<any, any>;
