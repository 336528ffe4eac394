import { requestError } from './request-error.ts';
import { typeError } from './wire-values.ts';

/** Whether this is a text as a list of token ids. */
export const isTokens = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length > 0 && value.every((item) => Number.isSafeInteger(item) && item >= 0);

/** Checks one text or several of one kind: characters, or token ids. An array of numbers is one text, whatever its length. */
export function checkTexts(value: unknown, param: string, most: number): void {
  if (typeof value === 'string' || isTokens(value)) return;
  if (!Array.isArray(value)) throw typeError(param, 'a string or an array', value);
  if (value.length === 0) throw requestError(param, `Invalid '${param}': the array is empty.`, 'empty_array');
  if (value.length > most) {
    throw requestError(param, `Invalid '${param}': at most ${most} texts are possible in one call.`, 'array_above_max_length');
  }
  const texts = typeof value[0] === 'string';
  const wrong = value.findIndex((item) => (texts ? typeof item !== 'string' : !isTokens(item)));
  if (wrong >= 0) throw typeError(`${param}.[${wrong}]`, texts ? 'a string' : 'an array of tokens', value[wrong] ?? undefined);
}
