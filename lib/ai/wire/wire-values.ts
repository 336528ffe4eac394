import { requestError } from './request-error.ts';

/** Narrowing of values that came as JSON. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function objectBody(body: unknown): Record<string, unknown> {
  if (!isObject(body)) throw requestError('body', 'The body must be a JSON object.', 'invalid_type');
  return body;
}

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
  for (const name of NUMBERS) {
    if (!absent(body[name]) && typeof body[name] !== 'number') throw typeError(name, 'a number', body[name]);
  }
}
const NUMBERS = ['n', 'best_of', 'max_tokens', 'max_completion_tokens'];
