import type { ServerResponse } from 'node:http';
import { type HttpResult, isStream } from '../../../lib/platform/http/http-event.ts';
import { pipeStream } from '../../../lib/platform/http/pipe-stream.ts';
import type { Log } from '../../../lib/platform/log.ts';

/** A caller that takes nothing of a stream for this long is cut off. */
const STALL_MS = 60_000;

/** Writes an answer, and resolves when it is over: at once, unless it is a stream or has something to do at its end. */
export async function writeAnswer(response: ServerResponse, { statusCode, headers, body, onEnd }: HttpResult, log: Log): Promise<void> {
  if (isStream(body)) {
    response.writeHead(statusCode, headers);
    const onFailure = (error: unknown) => log.error('stream_failed', { request_id: headers['x-request-id'], error });
    const end = await pipeStream(body, response, { stallMs: STALL_MS, onFailure });
    await onEnd?.(end);
    return;
  }
  const hasBody = statusCode !== 204 && statusCode !== 304;
  const bytes = hasBody ? Buffer.byteLength(body) : 0;
  // One call with all headers is cheaper than one for each. Node would not know the length then.
  response.writeHead(statusCode, hasBody && headers['content-length'] === undefined ? { ...headers, 'content-length': bytes } : headers);
  response.end(hasBody ? body : undefined);
  if (!onEnd) return;
  if (!response.closed) await new Promise((closed) => response.once('close', closed));
  await onEnd({ outcome: response.writableFinished ? 'complete' : 'client_closed', bytes });
}
