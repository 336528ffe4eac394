import type * as z from 'zod';
import type { HttpResult } from './http-event.ts';
import type { RequestFacts } from './request-facts.ts';
import type { Surface } from './surface.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
type Schema = z.ZodType | undefined;
type Output<S extends Schema> = S extends z.ZodType ? z.output<S> : undefined;
/** A handler's answer: nothing if the endpoint has no response and no text. */
type Answer<S extends Schema> = S extends z.ZodType ? Promise<z.input<S> | Reply<z.input<S>>> : Promise<void> | Promise<Reply>;

/** Who may call an endpoint. `check` throws an AppError for a principal that may not, knowing only the path. */
export interface Access<Principal> {
  /** The rule's name, for the OpenAPI document and the authorization matrix test. */
  who: string;
  /** For the document: the kinds of principal that the rule may admit. */
  principals: readonly string[];
  check(principal: Principal, params: Readonly<Record<string, string>>): void;
}

export interface Context<Services, Principal> {
  services: Services;
  /** The caller; undefined on a public endpoint. */
  principal: Principal;
  request: RequestFacts;
}

/** An answer that needs more than the endpoint's own status and a JSON body. */
export interface Reply<Body = unknown> {
  status?: number;
  headers?: Record<string, string>;
  body?: Body;
  /** Facts about the answer that a surface may show beside its body, such as the place of a page. */
  meta?: Record<string, unknown>;
  /** Sends this text as it is, with the content type given in `headers`. */
  text?: string;
  /** Sends these bytes as they are, with the content type given in `headers`. */
  bytes?: Uint8Array;
  /**
   * Sends these pieces as they come. After the first of them the status is sent, so the stream itself has to tell its caller of a failure;
   * an error that it throws is logged and destroys the connection.
   */
  stream?: AsyncIterable<Uint8Array>;
  /** Called once when the answer is over: all of it was sent, the caller hung up, or its stream failed. */
  onEnd?: HttpResult['onEnd'];
}
const REPLY = Symbol('reply');
export const reply = <Body>(value: Reply<Body>): Reply<Body> => Object.assign(value, { [REPLY]: true });
export const isReply = (value: unknown): value is Reply => typeof value === 'object' && value !== null && REPLY in value;

/**
 * One operation of the API, as a value. Router, input types, response check, OpenAPI document, test matrix and the check of
 * serverless.yml all derive from the one list of these.
 */
export interface Endpoint<
  Services,
  Principal,
  P extends Schema = Schema,
  Q extends Schema = Schema,
  B extends Schema = Schema,
  R extends Schema = Schema,
  A = unknown,
> {
  surface: Surface<Services, Principal>;
  /** The OpenAPI operationId. */
  id: string;
  method: Method;
  /** A parameter is written as `{name}`. */
  path: `/${string}`;
  /** Other paths with the same parameters under which the endpoint answers. Documents name `path` alone. */
  aliases?: readonly `/${string}`[];
  /** Other methods that mean the same. */
  alsoBy?: readonly Method[];
  summary: string;
  description?: string;
  tag?: string;
  access: 'public' | Access<Principal>;
  params?: P;
  /**
   * Checks rights that only the store knows. It runs after `access` and before query and body are read, so that its error wins over
   * validation errors. The handler gets what it returns, and need not read it again.
   */
  authorize?(context: Context<Services, Principal>, input: { params: Output<P> }): Promise<A>;
  query?: Q;
  body?: B;
  /** Turns the body's bytes into a value; JSON if absent. */
  bodyFormat?: BodyFormat;
  /** The largest body accepted, in bytes; 256 KiB if absent. */
  bodyLimitBytes?: number;
  /** The answer may take minutes to begin: the one-process host doesn't close the connection because nothing moves on it. */
  longRunning?: boolean;
  status: 200 | 201 | 202 | 204;
  /** The body's schema. Members it doesn't declare never leave the server. */
  response?: R;
  /** For the document: the answer may be 304 without a body if If-None-Match names the current version. */
  conditional?: boolean;
  /** For the document: the content type of a text answer. */
  responseType?: string;
  /** For the document: the error codes beyond the general ones. */
  errors?: readonly string[];
  handle(context: Context<Services, Principal>, input: { params: Output<P>; query: Output<Q>; body: Output<B>; authorized: A }): Answer<R>;
}

export interface BodyFormat {
  /** For the document: the operation accepts any body and takes from it what it can read. */
  lenient?: boolean;
  /** For the document: another part of the request may replace the body. */
  hasSubstitute?: boolean;
  /** For the document: the media types that are accepted. */
  accepts: readonly string[];
  decode(body: RawBody): unknown;
}

export interface RawBody {
  /** The exact bytes. */
  bytes: Buffer;
  /** Lower case, without parameters; empty if none was sent. */
  mediaType: string;
  query: Readonly<Record<string, string | undefined>>;
}

// biome-ignore lint/suspicious/noExplicitAny: a list of endpoints is heterogeneous by design
export type AnyEndpoint<Services = any, Principal = any> = Endpoint<Services, Principal, any, any, any, any, any>;

/** Binds an endpoint to its surface; everything else is inferred from the schemas. */
export const endpointFor =
  <Services, Principal>(surface: Surface<Services, Principal>) =>
  <P extends Schema = undefined, Q extends Schema = undefined, B extends Schema = undefined, R extends Schema = undefined, A = undefined>(
    endpoint: Omit<Endpoint<Services, Principal, P, Q, B, R, A>, 'surface'>,
  ): Endpoint<Services, Principal, P, Q, B, R, A> => ({ surface, ...endpoint });
