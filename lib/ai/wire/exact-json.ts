/** A number that JavaScript would write differently: more than 15 digits, a fraction that ends with a zero, an exponent. */
const RISKY_NUMBER = /\d{16}|\.\d*0(?!\d)|\d[eE]|-0(?![.\d])/;

/** Some number in this JSON might lose digits when it is parsed and written again. */
export const hasRiskyNumber = (text: string): boolean => RISKY_NUMBER.test(text);

/**
 * Parses JSON so that `JSON.stringify` writes every number with the digits that it came with: ids of 64 bits and `1.0` survive. Returns
 * undefined if the text is no JSON. Only for values that are passed on, because such a number is an object and can't be calculated with.
 */
export function parseJson(text: string): unknown {
  try {
    return hasRiskyNumber(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function keepDigits(_name: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source;
  return typeof value === 'number' && source !== undefined && String(value) !== source ? rawJson(source) : value;
}

// Node 22 has it, TypeScript's library doesn't know it yet.
const { rawJSON: rawJson } = JSON as unknown as { rawJSON: (text: string) => unknown };
