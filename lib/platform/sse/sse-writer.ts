/** Headers of every stream of server-sent events. Nothing between here and the client may buffer, change or compress it. */
export const SSE_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
} as const;

/** The event with this JSON text, which must have no line ends: `JSON.stringify` writes none. */
export const sseData = (json: string): string => `data: ${json}\n\n`;

/** The named event with this JSON text. */
export const sseEvent = (event: string, json: string): string => `event: ${event}\ndata: ${json}\n\n`;

/** The end of a complete stream, as OpenAI writes it. */
export const SSE_DONE = 'data: [DONE]\n\n';

/** Keeps the connection from being closed as idle; clients ignore it. */
export const SSE_KEEP_ALIVE = ': keep-alive\n\n';
