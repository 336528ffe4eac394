import middy from '@middy/core';
import { shareRetryTime } from '../database/retry-time.ts';
import { AppError } from '../errors.ts';
import { type Admission, admitRequest } from './admission.ts';
import type { AnyEndpoint } from './endpoint.ts';
import { openExchange } from './exchange.ts';
import { bodyOf, type HttpEvent, pathOf } from './http-event.ts';
import { type LambdaAnswer, lambdaAnswer } from './lambda-answer.ts';
import { type LambdaTime, timeOf } from './lambda-time.ts';
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

/** The function gives up a request this long before its time is over, to answer and to log. */
const ANSWER_EARLY_MS = 500;

/** Serves these endpoints; `surface` answers for the paths that none of them has. Importing a function composes nothing. */
export function httpFunction(endpoints: readonly AnyEndpoint[], surface: AnySurface): HttpFunction {
  const route = createRouter(endpoints);
  const admit = async (head: HttpEvent, signal?: AbortSignal): Promise<Admission> => {
    const admission = await shareRetryTime(() => admitRequest(route, surface, head, signal));
    if (admission.kind === 'answered') return admission;
    // The body may have taken long to arrive, so its handling gets a new time for retries.
    return { ...admission, complete: (body) => shareRetryTime(() => admission.complete(body)) };
  };
  const answer = async (event: HttpEvent, context: Partial<LambdaTime>): Promise<LambdaAnswer> => {
    const time = timeOf(context);
    try {
      const admission = await admit(event, time.signal);
      return await lambdaAnswer(admission.kind === 'answered' ? admission.result : await admission.complete(bodyOf(event)));
    } finally {
      time.clear();
    }
  };
  /** Without this answer Lambda would end the function, and the caller would get API Gateway's 503, without reason, request id or log. */
  const fail = (event: HttpEvent, cause: unknown): Promise<LambdaAnswer> => {
    const match = route(event.requestContext.http.method, pathOf(event));
    const late = new AppError('unavailable', 'the request took too long, and may have been carried out', { retryAfterSeconds: 2, cause });
    return lambdaAnswer(openExchange(surface, match, event).fail(isTimeout(cause) ? late : cause));
  };
  const handler = middy<HttpEvent, LambdaAnswer>({ timeoutEarlyInMillis: ANSWER_EARLY_MS })
    .onError(async (request) => {
      request.response = await fail(request.event, request.error);
    })
    .handler(answer as never);
  return Object.assign((event: HttpEvent, context?: unknown) => handler(event, context as never) as Promise<LambdaAnswer>, { admit });
}

/** Whether this is middy's error for a function whose time is over. */
const isTimeout = (error: unknown): boolean => error instanceof Error && error.name === 'TimeoutError';
