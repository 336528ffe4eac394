import middy from '@middy/core';
import { shareRetryTime } from '../database/retry-time.ts';
import { AppError } from '../errors.ts';
import { type Admission, admitRequest } from './admission.ts';
import { packedAnswer } from './compression.ts';
import type { AnyEndpoint } from './endpoint.ts';
import { openExchange } from './exchange.ts';
import { bodyOf, type HttpEvent, type HttpResult, isStream, pathOf } from './http-event.ts';
import { type LambdaAnswer, lambdaAnswer } from './lambda-answer.ts';
import { type LambdaTime, timeOf } from './lambda-time.ts';
import { RequestAbandoned } from './request-facts.ts';
import { createRouter } from './router.ts';
import type { AnySurface } from './surface.ts';

/**
 * A Lambda handler. A host that reads bodies itself calls `admit` with an event without a body, so that route, size, credentials and
 * rights are checked before a byte of the body is read, and writes the answer piece by piece. Both ways run the same code.
 */
export interface HttpFunction {
  (event: HttpEvent, context?: unknown): Promise<LambdaAnswer>;
  admit(head: HttpEvent, signal?: AbortSignal): Promise<Admission>;
}

/** What a Lambda function does with a request, however its answer is sent. */
export interface HttpCore {
  admit: HttpFunction['admit'];
  /** Answers an event that carries its body. */
  answer(event: HttpEvent, signal: AbortSignal): Promise<HttpResult>;
  /** Answers a request whose handling failed outside of the surface, or took too long. */
  fail(event: HttpEvent, cause: unknown): HttpResult;
}

export function httpCore(endpoints: readonly AnyEndpoint[], surface: AnySurface): HttpCore {
  const route = createRouter(endpoints);
  const admit: HttpCore['admit'] = async (head, signal) => {
    const admission = await shareRetryTime(() => admitRequest(route, surface, head, signal));
    if (admission.kind === 'answered') return admission;
    // The body may have taken long to arrive, so its handling gets a new time for retries.
    return { ...admission, complete: (body) => shareRetryTime(() => admission.complete(body)) };
  };
  return {
    admit,
    async answer(event, signal) {
      const admission = await admit(event, signal);
      return admission.kind === 'answered' ? admission.result : admission.complete(bodyOf(event));
    },
    fail(event, cause) {
      const match = route(event.requestContext.http.method, pathOf(event));
      const late = () =>
        new AppError('unavailable', 'the request took too long, and may have been carried out', { retryAfterSeconds: 2, cause });
      return openExchange(surface, match, event).fail(isTimeout(cause) ? late() : cause);
    },
  };
}

/** The function gives up a request this long before its time is over, to answer and to log. */
const ANSWER_EARLY_MS = 500;

/** Serves these endpoints; `surface` answers for the paths that none of them has. Importing a function composes nothing. */
export function httpFunction(endpoints: readonly AnyEndpoint[], surface: AnySurface): HttpFunction {
  const { admit, answer, fail } = httpCore(endpoints, surface);
  const whole = async (event: HttpEvent, context: Partial<LambdaTime>): Promise<LambdaAnswer> => {
    const time = timeOf(context);
    try {
      const result = await packedAnswer(await answer(event, time.signal), event.headers['accept-encoding']);
      return await lambdaAnswer(fitting(result, (error) => fail(event, error)));
    } finally {
      time.clear();
    }
  };
  const handler = middy<HttpEvent, LambdaAnswer>({ timeoutEarlyInMillis: ANSWER_EARLY_MS })
    // Without this answer Lambda would end the function, and the caller would get API Gateway's 503, without reason, request id or log.
    .onError(async (request) => {
      request.response = await lambdaAnswer(fail(request.event, request.error));
    })
    .handler(whole as never);
  return Object.assign((event: HttpEvent, context?: unknown) => handler(event, context as never) as Promise<LambdaAnswer>, { admit });
}

/** Lambda sends at most 6 MB, and the answer is a text in a JSON text there. */
const LAMBDA_ANSWER_BYTES = 6 * 1000 * 1000;

/** An answer that Lambda can send: instead of a larger one the caller is told how to get it. */
function fitting(result: HttpResult, refuse: (error: AppError) => HttpResult): HttpResult {
  const { body } = result;
  if (isStream(body)) return result;
  // In JSON a character is at most six.
  if (body.length < LAMBDA_ANSWER_BYTES / 6) return result;
  const bytes = typeof body === 'string' ? Buffer.byteLength(JSON.stringify(body)) : Math.ceil(body.length / 3) * 4;
  if (bytes < LAMBDA_ANSWER_BYTES) return result;
  return refuse(new AppError('payload_too_large', 'the answer is too large to be sent as it is: ask for it with Accept-Encoding: gzip'));
}

/** Whether this is the error for a function whose time is over: middy's, or the one of a request's signal. */
const isTimeout = (error: unknown): boolean =>
  error instanceof RequestAbandoned || (error instanceof Error && error.name === 'TimeoutError');
