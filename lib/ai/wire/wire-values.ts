import { requestError } from './request-error.ts';

/** Narrowing of values that came as JSON. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function objectBody(body: unknown): Record<string, unknown> {
  if (!isObject(body)) throw requestError('body', 'The body must be a JSON object.', 'invalid_type');
  return body;
}

/** A name or an id of a provider; empty if it sent something that is none. */
export const textOrEmpty = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');

export const absent = (value: unknown): value is null | undefined => value === undefined || value === null;

export const typeError = (param: string, expected: string, value: unknown) =>
  absent(value)
    ? requestError(param, `Missing required parameter: '${param}'.`, 'missing_required_parameter')
    : requestError(param, `Invalid type for '${param}': expected ${expected}, but got ${typeName(value)} instead.`, 'invalid_type');

function typeName(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  return value === null ? 'null' : `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`;
}

const LONGEST_MODEL = 256;

/** Checks what every operation has alike: the model, and that numbers which limits are computed from are numbers. */
export function checkCommon(body: Record<string, unknown>): void {
  const { model } = body;
  if (typeof model !== 'string') throw typeError('model', 'a string', model);
  if (model === '' || model.length > LONGEST_MODEL) {
    throw requestError('model', `Invalid 'model': expected 1 to ${LONGEST_MODEL} characters.`);
  }
  if (!absent(body.stream) && typeof body.stream !== 'boolean') throw typeError('stream', 'a boolean', body.stream);
  if (!absent(body.stream_options) && !isObject(body.stream_options)) throw typeError('stream_options', 'an object', body.stream_options);
  for (const [name, most] of Object.entries(MOST)) checkInteger(name, body[name], most);
}

/** The largest values that are calculated with. OpenAI gives at most 128 answers to a chat; a provider refuses what it finds too large. */
const MOST = { n: 128, best_of: 128, max_tokens: Number.MAX_SAFE_INTEGER, max_completion_tokens: Number.MAX_SAFE_INTEGER };

export function checkInteger(name: string, value: unknown, most = Number.MAX_SAFE_INTEGER): void {
  if (absent(value)) return;
  if (typeof value !== 'number') throw typeError(name, 'an integer', value);
  if (value > most) {
    const message = `Invalid '${name}': integer above maximum value. Expected a value <= ${most}, but got ${value} instead.`;
    throw requestError(name, message, 'integer_above_max_value');
  }
  // Some servers take -1 for an answer without end, for which nothing can be reserved.
  if (value < 0) {
    const message = `Invalid '${name}': integer below minimum value. Expected a value >= 0, but got ${value} instead.`;
    throw requestError(name, message, 'integer_below_min_value');
  }
  if (!Number.isInteger(value)) {
    throw requestError(name, `Invalid type for '${name}': expected an integer, but got a decimal number instead.`, 'invalid_type');
  }
}
