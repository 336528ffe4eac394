import * as z from 'zod';
import type { IncomingCall } from '../../lib/ai/completion/call/running-call.ts';
import { brokleOptions } from '../../lib/ai/wire/brokle-options.ts';
import { spliceMembers } from '../../lib/ai/wire/json-splice.ts';
import { isObject } from '../../lib/ai/wire/wire-values.ts';
import type { ProjectKeyPrincipal, Scope } from '../../lib/identity/accounts/account-principals.ts';
import { AppError } from '../../lib/platform/errors.ts';
import { type Access, type AnyEndpoint, type BodyFormat, type Context, endpointFor } from '../../lib/platform/http/endpoint.ts';
import { type HttpFunction, httpFunction } from '../../lib/platform/http/http-function.ts';
import { jsonBody, parseJson, utf8 } from '../../lib/platform/http/request-body.ts';
import type { GatewayServices } from './gateway-services.ts';
import { inferenceSurface } from './inference-surface.ts';

export type InferenceContext = Context<GatewayServices, ProjectKeyPrincipal>;

const declare = endpointFor(inferenceSurface);

/** Lambda takes bodies of up to 6 MB. */
const BODY_LIMIT_BYTES = 5 * 1024 * 1024;

/** A JSON document, and its own text: a provider that speaks the same wire gets the text unchanged. */
export interface SentJson {
  value: unknown;
  text: string;
}
const sentJson: BodyFormat = {
  accepts: jsonBody.accepts,
  decode(body): SentJson {
    if (!/^application\/([\w.-]+\+)?json$/.test(body.mediaType)) jsonBody.decode(body);
    const text = utf8(body.bytes);
    return { value: parseJson(text), text };
  },
};
export const SentBody = z.custom<SentJson>(() => true);

/** The parts that every operation which asks a model has alike. */
export const asksModel = {
  tag: 'inference',
  body: SentBody,
  bodyFormat: sentJson,
  bodyLimitBytes: BODY_LIMIT_BYTES,
  longRunning: true,
  status: 200,
} as const;

export const inferenceEndpoint = declare;
export const inferenceFunction = (endpoints: readonly AnyEndpoint[]): HttpFunction => httpFunction(endpoints, inferenceSurface);

/** Keys with one of these scopes. */
export const withScope = (...scopes: readonly Scope[]): Access<ProjectKeyPrincipal> => ({
  who: `a project key with ${scopes.join(' or ')}`,
  principals: ['project-key'],
  check(principal) {
    if (scopes.some((scope) => principal.scopes.includes(scope))) return;
    throw new AppError('forbidden', `This key lacks the scope ${scopes.join(' or ')}.`, {
      code: 'insufficient_scope',
      details: { required: scopes },
    });
  },
});
export const anyProjectKey: Access<ProjectKeyPrincipal> = { who: 'any project key', principals: ['project-key'], check: () => {} };

/** Headers that callers mean for the provider. */
const FORWARDED = ['anthropic-beta', 'anthropic-version', 'openai-beta'];

/** Everything of a call that its operation doesn't decide. `brokle` is the member of the body. */
export function incomingCall(
  { principal, request }: InferenceContext,
  operation: IncomingCall['operation'],
  brokle: unknown,
): IncomingCall {
  const { headers } = request;
  const forwarded: Record<string, string> = {};
  for (const name of FORWARDED) {
    const value = headers[name];
    if (value !== undefined) forwarded[name] = value;
  }
  return {
    request_id: request.requestId,
    operation,
    principal,
    options: brokleOptions(brokle, headers),
    forwarded,
    signal: request.signal,
    cache_control: headers['cache-control'],
    client_retries: Number(headers['x-stainless-retry-count'] ?? 0) || 0,
    log: request.log,
    noted: request.noted,
  };
}

/** The body without the gateway's own options, which no provider may see. */
export function withoutOptions({ value, text }: SentJson): { value: unknown; text: string; brokle: unknown } {
  if (!isObject(value) || !Object.hasOwn(value, 'brokle')) return { value, text, brokle: undefined };
  const { brokle, ...rest } = value;
  return { value: rest, text: spliceMembers(text, { brokle: undefined }), brokle };
}
