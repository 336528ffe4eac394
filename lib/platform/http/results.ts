import type { HttpResult } from './http-event.ts';

/** An answer with this JSON. */
export const jsonTextResult = (statusCode: number, json: string): HttpResult => ({
  statusCode,
  headers: { 'content-type': 'application/json' },
  body: json,
});

/** An answer with this value as JSON. */
export const jsonResult = (statusCode: number, body: unknown): HttpResult => jsonTextResult(statusCode, JSON.stringify(body));

/** An answer with this text. */
export const textResult = (statusCode: number, body: string): HttpResult => ({
  statusCode,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body,
});
