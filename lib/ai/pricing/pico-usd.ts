import { exactDecimal, roundedProduct } from './exact-decimal.ts';

const DECIMALS = 12;
const ONE = { digits: 1n, exponent: 0 };

/** US dollars as a JSON number, with at most twelve decimals. */
export const usdOf = (picoUsd: bigint): number => Number(usdText(picoUsd));

/** US dollars as a plain decimal text, without an exponent and without zeros at the end. */
export function usdText(picoUsd: bigint): string {
  const sign = picoUsd < 0n ? '-' : '';
  const digits = String(picoUsd < 0n ? -picoUsd : picoUsd).padStart(DECIMALS + 1, '0');
  const fraction = digits.slice(-DECIMALS).replace(/0+$/, '');
  return `${sign}${digits.slice(0, -DECIMALS)}${fraction === '' ? '' : `.${fraction}`}`;
}

/** Whole numbers of 10⁻¹² US dollars for an amount that is not negative. Digits beyond the twelfth decimal are rounded half to even. */
export const picoUsdOf = (usd: number): bigint => roundedProduct(ONE, exactDecimal(usd), DECIMALS);
