import { isDeeperThan } from '../../platform/json-depth.ts';
import { isObject } from './wire-values.ts';

/**
 * A number that JavaScript may write differently: more than 15 digits, a fraction that begins with six zeros or ends with a zero, an
 * exponent.
 */
const RISKY_NUMBER = /\d{16}|[\d.]{17}|\.0{6}|\.\d*0(?!\d)|\d[eE]|-0(?![.\d])/;

/** Some number in this JSON might lose digits when it is parsed and written again. */
export const hasRiskyNumber = (text: string): boolean => RISKY_NUMBER.test(text);

/** Writing a value that is nested very deeply again takes more stack than there is. Nobody means such a value. */
const MOST_LEVELS = 512;
/** Each level takes two characters, so that a shorter text can't be too deep. */
const SHORTEST_DEEP_TEXT = 2 * MOST_LEVELS;

/** The value of a JSON text from outside. Returns undefined if the text is no JSON, or is nested deeper than 512 levels. */
export function parsePlainJson(text: string): unknown {
  try {
    return shallow(text, JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * The same so that `JSON.stringify` writes every number with the digits that it came with: ids of 64 bits and `1.0` survive. Only for values
 * that are passed on, because such a number is an object and can't be calculated with.
 */
export function parseJson(text: string): unknown {
  if (!hasRiskyNumber(text)) return parsePlainJson(text);
  try {
    return shallow(text, JSON.parse(text, keepDigits));
  } catch {
    return undefined;
  }
}

/** The object of a JSON text, with the digits of its numbers. Returns undefined for everything else, also for a lone number. */
export function parseObject(text: string): Record<string, unknown> | undefined {
  const value = parseJson(text);
  return isObject(value) && !isRawJson(value) ? value : undefined;
}

const shallow = (text: string, value: unknown): unknown =>
  text.length > SHORTEST_DEEP_TEXT && isDeeperThan(MOST_LEVELS, value) ? undefined : value;

function keepDigits(_name: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source;
  return typeof value === 'number' && source !== undefined && String(value) !== source ? rawJson(source) : value;
}

// Node 22 has it, TypeScript's library doesn't know it yet.
const { rawJSON: rawJson, isRawJSON: isRawJson } = JSON as unknown as {
  rawJSON: (text: string) => unknown;
  isRawJSON: (value: unknown) => boolean;
};
