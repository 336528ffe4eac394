import { pricesInForce } from './cost.ts';
import { exactDecimal, roundedProduct } from './exact-decimal.ts';
import type { Prices, TokenPrices } from './prices.ts';
import type { TokenClass } from './usage.ts';

export interface UpperCostOptions {
  prompt_tokens: number;
  /** Of all choices together. */
  output_tokens: number;
  /** The tier that the caller asked for. */
  service_tier?: string | null | undefined;
  /** The prompt may be written to a cache for an hour. */
  long_cache?: boolean;
  /** The prompt or the answer may have sound or pictures. */
  media?: boolean;
}

const INPUT: readonly TokenClass[] = ['input', 'cached_input', 'cache_write_5m'];
const INPUT_MEDIA: readonly TokenClass[] = ['image_input', 'audio_input', 'video_input'];
const OUTPUT: readonly TokenClass[] = ['output', 'reasoning'];
const OUTPUT_MEDIA: readonly TokenClass[] = ['image_output', 'audio_output'];
/** Where a caller asks for one of these, it is certain that no other tier serves the call. */
const PLAIN_ONLY: ReadonlySet<string> = new Set(['default', 'standard', 'standard_only', 'on_demand']);
const ONE = { digits: 1n, exponent: 0 };

/**
 * The most that a call can cost: every token of a side at the dearest price that it can have, at the dearest tier that may serve it, on the
 * step that its prompt reaches. Reservations take this, so that the real cost is within it.
 */
export function upperCostOf(prices: Prices | undefined, options: UpperCostOptions): bigint {
  if (prices === undefined) return 0n;
  const { prompt_tokens, output_tokens, long_cache = false, media = false } = options;
  const input = [...INPUT, ...(long_cache ? (['cache_write_1h'] as const) : []), ...(media ? INPUT_MEDIA : [])];
  const output = [...OUTPUT, ...(media ? OUTPUT_MEDIA : [])];
  const costs = tiersOf(prices, options.service_tier).map((tier) => {
    const { token } = pricesInForce(prices, prompt_tokens, tier);
    const hour = long_cache && token.cache_write_1h === undefined ? { ...token, cache_write_1h: 2 * (token.input ?? 0) } : token;
    return tokensAt(prompt_tokens, dearest(hour, input)) + tokensAt(output_tokens, dearest(token, output));
  });
  const fixed = prices.per_request === undefined ? 0n : roundedProduct(ONE, exactDecimal(prices.per_request), 12);
  return largest(costs) + fixed;
}

/** The tiers that may serve the call. Without a wish the provider's own settings decide. */
function tiersOf({ service_tiers = {} }: Prices, wanted: string | null | undefined): readonly (string | undefined)[] {
  if (wanted === undefined || wanted === null || wanted === 'auto') return [undefined, ...Object.keys(service_tiers)];
  return PLAIN_ONLY.has(wanted) ? [undefined] : [undefined, wanted];
}

const dearest = (prices: TokenPrices, classes: readonly TokenClass[]): number => Math.max(0, ...classes.map((name) => prices[name] ?? 0));
const tokensAt = (tokens: number, price: number): bigint =>
  roundedProduct({ digits: BigInt(Math.ceil(tokens)), exponent: 0 }, exactDecimal(price), 6);

export function largest(amounts: Iterable<bigint>): bigint {
  let most = 0n;
  for (const amount of amounts) if (amount > most) most = amount;
  return most;
}
