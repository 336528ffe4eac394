import { AppError } from '../errors.ts';
import { isDeeperThan } from '../json-depth.ts';
import type { BodyFormat, RawBody } from './endpoint.ts';

/** The largest body of an operation that sets no limit of its own. */
export const DEFAULT_BODY_LIMIT_BYTES = 256 * 1024;
const MAX_JSON_DEPTH = 64;

/** A JSON document. No content type, or a foreign one, is 415; bad syntax is 400; the wrong shape is the schema's 422. */
export const jsonBody: BodyFormat = { accepts: ['application/json'], decode: decodeJson };

const isJson = (mediaType: string) => mediaType === 'application/json' || /^application\/[\w.-]+\+json$/.test(mediaType);

function decodeJson(body: RawBody): unknown {
  if (!isJson(body.mediaType)) {
    throw new AppError('unsupported_media_type', `expected a request with Content-Type: application/json`);
  }
  return parseJson(utf8(body.bytes));
}

export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new AppError('bad_request', `the body is not valid JSON: ${cause instanceof Error ? cause.message : 'syntax error'}`, {
      code: 'invalid_json',
    });
  }
  if (isDeeperThan(MAX_JSON_DEPTH, value)) {
    throw new AppError('bad_request', `the body is nested deeper than ${MAX_JSON_DEPTH} levels`, { code: 'invalid_json' });
  }
  // Only an escape can contain half a surrogate pair. UTF-8, and therefore the store, cannot represent it.
  if (/\\ud[89a-f]/i.test(text) && !isWellFormed(value)) {
    throw new AppError('bad_request', 'the body has a text with half a surrogate pair in it', { code: 'invalid_encoding' });
  }
  return value;
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([name, item]) => name.isWellFormed() && isWellFormed(item));
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of these bytes. Bytes that aren't UTF-8 are refused, so that the stored text never differs from the sent one. */
export function utf8(bytes: Buffer): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new AppError('bad_request', 'the body is not valid UTF-8', { code: 'invalid_encoding' });
  }
}
