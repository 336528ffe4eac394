/** A decimal number without loss: `digits` × 10^`exponent`. */
export interface ExactDecimal {
  digits: bigint;
  exponent: number;
}

/**
 * The decimal number that a price's shortest text says. A price is written in decimal, and its nearest binary number is a little beside it;
 * JavaScript's text of that number is the decimal again.
 */
export function exactDecimal(value: number): ExactDecimal {
  const found = /^(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value));
  if (!found) throw new RangeError(`${value} is no price: a price is a finite number that is not negative`);
  const [, whole = '0', fraction = '', exponent = '0'] = found;
  return { digits: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length };
}

/** The whole number nearest to a fraction that is not negative. A half goes to the even neighbour, so that halves don't add up to one side. */
export function roundHalfEven(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  const doubled = 2n * (numerator % denominator);
  if (doubled === denominator) return quotient + (quotient & 1n);
  return doubled > denominator ? quotient + 1n : quotient;
}

/** `count` × `price` × 10^`power` ÷ `divisor`: multiplied first, then rounded once. */
export function roundedProduct(count: ExactDecimal, price: ExactDecimal, power: number, divisor = 1n): bigint {
  const product = count.digits * price.digits;
  const exponent = count.exponent + price.exponent + power;
  return exponent >= 0
    ? roundHalfEven(product * 10n ** BigInt(exponent), divisor)
    : roundHalfEven(product, divisor * 10n ** BigInt(-exponent));
}
