import type { Writable } from 'node:stream';
import type { AnyEndpoint } from './endpoint.ts';
import { type HttpEvent, type HttpResult, isStream } from './http-event.ts';
import { httpCore, httpFunction } from './http-function.ts';
import { type LambdaTime, timeOf } from './lambda-time.ts';
import { pipeStream } from './pipe-stream.ts';
import type { AnySurface } from './surface.ts';

/** What Lambda's Node.js runtime puts into the global variable `awslambda`, for functions that stream their answers. */
export interface LambdaStreaming {
  streamifyResponse<F extends StreamingHandler>(handler: F): F;
  HttpResponseStream: {
    /** A stream that sends status and headers before the first write. */
    from(out: Writable, head: { statusCode: number; headers: Record<string, string> }): Writable;
  };
}
export type StreamingHandler = (event: HttpEvent, out: Writable, context: Partial<LambdaTime>) => Promise<void>;

/** The runtime's own object on Lambda, and undefined everywhere else. Parts of the AWS SDK put an empty object in its place there. */
function lambdaStreaming(): LambdaStreaming | undefined {
  const { awslambda } = globalThis as { awslambda?: LambdaStreaming };
  return typeof awslambda?.streamifyResponse === 'function' ? awslambda : undefined;
}

/** A caller that takes nothing for this long is cut off. */
const STALL_MS = 60_000;
/** The time that is left for the last words of an answer after its request was told that the time is over. */
const LAST_WORDS_MS = 1_500;

/**
 * A Lambda handler behind a function URL that streams. It serves these endpoints as `httpFunction` does, and writes the answer's pieces as
 * they come. Where Lambda's runtime is not there to stream, it answers whole.
 */
export function streamingFunction(endpoints: readonly AnyEndpoint[], surface: AnySurface, lambda = lambdaStreaming()): unknown {
  if (!lambda) return httpFunction(endpoints, surface);
  const { answer, fail } = httpCore(endpoints, surface);
  return lambda.streamifyResponse(async (event, out, context) => {
    const time = timeOf(context);
    try {
      const late = rejectsLate(time.signal);
      const result = await Promise.race([answer(event, time.signal), late]).catch((cause: unknown) => fail(event, cause));
      await send(lambda, out, result, surface, time.signal);
    } finally {
      time.clear();
    }
  });
}

/** Writes the answer, and waits for what happens at its end: Lambda freezes the function afterwards. */
async function send(
  { HttpResponseStream }: LambdaStreaming,
  raw: Writable,
  { statusCode, headers, body, onEnd }: HttpResult,
  surface: AnySurface,
  signal: AbortSignal,
): Promise<void> {
  const out = HttpResponseStream.from(raw, { statusCode, headers });
  if (isStream(body)) {
    // A stream that says nothing after it was told is cut, so that its end is still logged and settled.
    const cut = () => setTimeout(() => out.destroy(), LAST_WORDS_MS);
    signal.addEventListener('abort', cut, { once: true });
    const onFailure = (error: unknown) => surface.base().log.error('stream_failed', { request_id: headers['x-request-id'], error });
    await onEnd?.(await pipeStream(body, out, { stallMs: STALL_MS, onFailure }));
    return;
  }
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  // The head is sent with the first write, which an answer without a body needs, too.
  out.write(bytes);
  await new Promise<void>((finished) => out.once('close', finished).end(finished));
  await onEnd?.({ outcome: 'complete', bytes: bytes.byteLength });
}

/** Rejects some time after the signal, so that a handler which listens to the signal can answer in its own words. */
const rejectsLate = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => setTimeout(() => reject(signal.reason), LAST_WORDS_MS / 3), { once: true });
  });
