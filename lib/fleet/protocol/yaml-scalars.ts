import { rawInteger } from './yaml-rules.ts';

/**
 * Reads a plain scalar as kubectl does, which reads YAML 1.1 with exceptions of its own (docs/decisions/0007-two-yaml-parsers.md). Every
 * row of test/agent/yaml-table.ts is compared with the real kubectl.
 */
export type PlainScalar =
  | { type: 'null'; value: null }
  | { type: 'bool'; value: boolean }
  /** An integer that no JavaScript number holds exactly is a value that JSON.stringify writes as it is. */
  | { type: 'int'; value: number | { rawJSON: string } }
  | { type: 'float'; value: number }
  | { type: 'str'; value: string }
  /** JSON has no such value, or kubectl would change it silently. The text says what to do. */
  | { type: 'unclear'; problem: string };

/** Every plain scalar that is no string begins with one of these, or is empty. */
export const MAYBE_TYPED = /^(?:[-+.\d~nNtTfFyYoO]|$)/;

const WORDS: ReadonlyMap<string, PlainScalar> = new Map([
  ...spellings({ type: 'bool', value: true }, ['y', 'yes', 'true', 'on']),
  ...spellings({ type: 'bool', value: false }, ['n', 'no', 'false', 'off']),
  ...spellings({ type: 'null', value: null }, ['', '~', 'null']),
  ...['.nan', '.NaN', '.NAN', '.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF', '-.inf', '-.Inf', '-.INF'].map(
    (word) => [word, { type: 'unclear', problem: `JSON has no value for ${word}: quote it if it is text` }] as const,
  ),
]);

/** A word in lower case, in upper case, or with a capital at the start; no other mixture counts. */
function spellings(scalar: PlainScalar, words: readonly string[]): (readonly [string, PlainScalar])[] {
  return words.flatMap((word) =>
    [word, word.toUpperCase(), word.slice(0, 1).toUpperCase() + word.slice(1)].map((text) => [text, scalar] as const),
  );
}

const INTEGER = /^[-+]?(?:0[xX][\da-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9]\d*)$/;
const FLOAT = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/;
/** Go's own floats allow an underscore between two digits. */
const DOTTED_FLOAT = /^\.\d+(?:_\d+)*(?:[eE][-+]?\d+(?:_\d+)*)?$/;

/** The library that kubectl uses has this exception. */
const SIGN_WITHIN = /^0_*b_*[-+][01_]*$/;

const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };

export function readPlainScalar(source: string): PlainScalar {
  const word = WORDS.get(source);
  if (word) return word;
  if (!/^[-+.\d]/.test(source)) return { type: 'str', value: source };
  if (SIGN_WITHIN.test(source))
    return { type: 'unclear', problem: `${source.slice(0, 40)} is a number to kubectl: quote it if it is text` };
  const dotted = source.startsWith('.');
  const digits = source.replaceAll('_', '');
  if (!dotted && INTEGER.test(digits)) return integer(digits, source);
  if (dotted ? DOTTED_FLOAT.test(source) : FLOAT.test(digits)) {
    const value = Number(digits);
    if (/^[-+]?\d+$/.test(digits) && !isInt64(BigInt(digits.slice(0, 100)))) return tooLarge(source);
    // Go doesn't parse a number that is too large, and keeps the text.
    if (Number.isFinite(value)) return { type: 'float', value };
  }
  return { type: 'str', value: source };
}

function integer(digits: string, source: string): PlainScalar {
  // Nobody needs so many digits, and their conversion takes time by the square of their number.
  if (digits.length > 100) return tooLarge(source);
  const negative = digits.startsWith('-');
  const unsigned = digits.replace(/^[-+]/, '');
  const exact = BigInt(/^0[0-7]/.test(unsigned) ? `0o${unsigned}` : unsigned) * (negative ? -1n : 1n);
  if (!isInt64(exact)) return tooLarge(source);
  const value = Number(exact);
  // A zero has no sign in JSON's integers.
  return { type: 'int', value: Number.isSafeInteger(value) ? value + 0 : rawInteger(String(exact)) };
}

const isInt64 = (value: bigint): boolean => value >= INT64.min && value <= INT64.max;

/** kubectl rounds such an integer to a float, or takes it for text if it is not decimal. */
function tooLarge(source: string): PlainScalar {
  const text = source.length > 40 ? `${source.slice(0, 40)}…` : source;
  return { type: 'unclear', problem: `${text} is beyond 64 bits, kubectl would change it: quote it if it is text` };
}

/**
 * Returns the name that kubectl writes for a key that is not text. Keys that kubectl refuses or rounds are unclear. In `{y: 1}` the key
 * is "true".
 */
export function readKey(scalar: PlainScalar): { name: string } | { problem: string } {
  switch (scalar.type) {
    case 'str':
      return { name: scalar.value };
    case 'bool':
      return { name: String(scalar.value) };
    case 'int':
      return { name: typeof scalar.value === 'number' ? String(scalar.value) : scalar.value.rawJSON };
    case 'float':
      return floatKey(scalar.value);
    case 'null':
      return { problem: 'a key is empty or null: quote it if it is text' };
    case 'unclear':
      return { problem: scalar.problem };
  }
}

/** kubectl writes such a key as a float of 32 bits, which keeps every number of up to six digits. */
function floatKey(value: number): { name: string } | { problem: string } {
  const size = Math.abs(value);
  const name = Object.is(value, -0) ? '-0' : String(value);
  if (name.replace(/\D/g, '').replace(/^0+/, '').length <= 6 && (size === 0 || (size >= 1e-4 && size < 1e6))) return { name };
  return { problem: `the key ${name} is a number that kubectl writes otherwise: quote it` };
}
