import type { AppError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { CorsOrigins } from './cors.ts';
import type { RequestFacts } from './endpoint.ts';
import type { HttpResult } from './http-event.ts';
import type { InputPart, Issue } from './validation.ts';

/** An answer as metrics count it; `route` is the endpoint's path with `:id` for its parameters, or `unmatched`. */
export interface Answered {
  route: string;
  method: string;
  status: number;
  seconds: number;
}

/** What each request needs before anything is composed. */
export interface SurfaceBase {
  log: Log;
  observe?(answer: Answered): void;
}

/**
 * A family of endpoints with one way of asking and answering: its own kinds of principal, its own composition of services, its own
 * shapes on the wire. An endpoint belongs to one surface; a function may serve endpoints of several.
 */
export interface Surface<Services, Principal> {
  name: string;
  /** Reads the configuration at the most: a request is logged and answered also while the store is away. */
  base(): SurfaceBase;
  /** Composes at the first call. Rejects with `unavailable` as long as it can't. */
  services(): Promise<Services>;
  /** Turns credentials into a principal, or throws `unauthenticated`. */
  authenticate(request: RequestFacts): Promise<Principal>;
  /** The caller as the log line names it. */
  describe(principal: Principal): { type: string; id?: string };
  /** `json` is the answer's checked body. */
  renderSuccess(status: number, json: string): HttpResult;
  renderError(error: AppError, request: RequestFacts): HttpResult;
  /** The answer for a path that no endpoint has. */
  notFound(request: RequestFacts): HttpResult;
  /** The answer for a method that the path doesn't have; the `Allow` header is added to it. */
  methodNotAllowed(request: RequestFacts): HttpResult;
  /** The failure that input which breaks rules is refused with. */
  invalid(part: InputPart, issues: readonly Issue[]): AppError;
  /** Pages of these origins may call. */
  cors(): CorsOrigins;
  /** Added to every answer, refusals included; an endpoint's own headers win. */
  headers(request: RequestFacts): Record<string, string>;
}

// biome-ignore lint/suspicious/noExplicitAny: a function may serve endpoints of several surfaces
export type AnySurface = Surface<any, any>;
