import middy from '@middy/core';
import { type Admission, admitRequest } from './admission.ts';
import type { AnyEndpoint } from './endpoint.ts';
import { bodyOf, type HttpEvent, type HttpResult } from './http-event.ts';
import { createRouter } from './router.ts';
import type { AnySurface } from './surface.ts';

/**
 * A Lambda handler. A host that reads bodies itself calls `admit` with an event without a body, so that route, size, credentials and
 * rights are checked before a byte of the body is read. Both ways run the same code.
 */
export interface HttpFunction {
  (event: HttpEvent, context?: unknown): Promise<HttpResult>;
  admit(head: HttpEvent): Promise<Admission>;
}

/** Serves these endpoints; `surface` answers for the paths that none of them has. Importing a function composes nothing. */
export function httpFunction(endpoints: readonly AnyEndpoint[], surface: AnySurface): HttpFunction {
  const route = createRouter(endpoints);
  const admit = (head: HttpEvent) => admitRequest(route, surface, head);
  const answer = async (event: HttpEvent): Promise<HttpResult> => {
    const admission = await admit(event);
    return admission.kind === 'answered' ? admission.result : admission.complete(bodyOf(event));
  };
  const handler = middy<HttpEvent, HttpResult>().handler(answer as never);
  return Object.assign((event: HttpEvent, context?: unknown) => handler(event, context as never) as Promise<HttpResult>, { admit });
}
