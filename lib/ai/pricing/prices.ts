import type { TokenClass } from './usage.ts';

/** US dollars for a million tokens of each class. An absent class has the plain price of its side, or a derived one. */
export type TokenPrices = Partial<Record<TokenClass, number>>;

/** A step on the whole prompt: above it, all tokens of the call have these prices. */
export interface PriceStep extends TokenPrices {
  above_prompt_tokens: number;
}

/** The prices of one model, in the units of the contract (B.12): US dollars for a million tokens, unless the name says otherwise. */
export interface Prices extends TokenPrices {
  audio_input_per_hour?: number;
  per_request?: number;
  web_search_per_1k?: number;
  /** Prices of other service tiers (`flex`, `priority`, `batch`), with steps of their own. */
  service_tiers?: Record<string, TierPrices>;
  steps?: PriceStep[];
}

export interface TierPrices extends TokenPrices {
  steps?: PriceStep[];
}

export interface FoundPrices {
  prices: Prices;
  /** Where they come from, for the call's record: `book <version>`, `override <id>` or `provider`. */
  source: string;
}

/** Money is whole numbers of 10⁻¹² US dollars. */
export interface Cost {
  pico_usd: bigint;
  by_class: Partial<Record<TokenClass | 'per_request' | 'web_search' | 'audio_seconds', bigint>>;
  /** A price was missing or derived, or the usage is an estimate: the sum is not exact. */
  estimated: boolean;
}
