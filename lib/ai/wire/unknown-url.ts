import { AppError } from '../../platform/errors.ts';
import type { HttpResult } from '../../platform/http/http-event.ts';
import type { RequestFacts } from '../../platform/http/request-facts.ts';
import { jsonTextResult } from '../../platform/http/results.ts';
import { anthropicErrorBody, inferenceError, openaiErrorBody } from './inference-errors.ts';

/** The operations that clients of OpenAI and Anthropic ask for, without their version. */
const OPERATIONS = /^\/(chat\/completions|completions|embeddings|responses|messages(\/count_tokens)?|models(\/.*)?)$/;

/**
 * The answer to a client of the inference API that asks for a path which nothing has; undefined for everybody else. Functions of other
 * surfaces get such requests, so this loads nothing of the gateway.
 */
export function unknownInferenceUrl({ method, path, headers, requestId }: RequestFacts, nowMs: number): HttpResult | undefined {
  const hasProjectKey = /^(bearer +)?bk_/i.test(headers.authorization ?? '') || (headers['x-api-key'] ?? '').startsWith('bk_');
  if (!hasProjectKey && hintFor(path) === '') return undefined;
  const error = inferenceError(new AppError('not_found', unknownUrlMessage(method, path), { code: 'unknown_url' }));
  const body =
    headers['anthropic-version'] === undefined
      ? openaiErrorBody(error, { request_id: requestId, timestamp: new Date(nowMs).toISOString() })
      : anthropicErrorBody(error, requestId);
  return { ...jsonTextResult(404, body), headers: { 'content-type': 'application/json', 'request-id': requestId } };
}

/** What is wrong with a path that nothing has, for a person who has just set a base URL. */
export function unknownUrlMessage(method: string, path: string): string {
  return `Unknown request URL: ${method} ${path}.${hintFor(path)}`;
}

function hintFor(asked: string): string {
  const path = asked.replace(/\/+/g, '/').replace(/\/$/, '');
  if (path.startsWith('/v1/') && OPERATIONS.test(path.slice(3))) {
    return path === asked ? '' : ' The path has a slash too many. Clients add their own: take it off the end of the base URL.';
  }
  const doubled = /^\/v1(\/v1)+(\/.*)$/.exec(path);
  if (doubled?.[2] !== undefined && OPERATIONS.test(doubled[2])) {
    return ' The path contains /v1 more than once. The client adds it itself: take /v1 off the end of its base URL.';
  }
  if (OPERATIONS.test(path)) return ' The path lacks /v1. Set the base URL to this server’s address followed by /v1.';
  if (/^\/api(\/v1)?\/./.test(path) && OPERATIONS.test(path.replace(/^\/api(\/v1)?/, ''))) {
    return ' Inference is at /v1, not below /api. Set the base URL to this server’s address followed by /v1.';
  }
  return '';
}
