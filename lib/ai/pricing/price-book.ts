import type { Prices } from './prices.ts';

/** How a provider's model ids are recognised. All but `regex` ignore capitals. */
export type ModelMatch =
  | { or: readonly ModelMatch[] }
  | { and: readonly ModelMatch[] }
  | { equals: string }
  | { starts_with: string }
  | { ends_with: string }
  | { contains: string }
  | { regex: string };

/** Prices with the time at which they hold. */
export interface DatedPrices {
  prices: Prices;
  /** From the beginning of this day on, UTC: `2025-06-10`. */
  from?: string;
  /** Each day between these seconds of the UTC day, the end excluded. An end before its start lies on the next day. */
  daily?: readonly [start: number, end: number];
}

export interface BookModel {
  id: string;
  match: ModelMatch;
  /** The last entry whose time holds is in force; the first one if none holds. */
  prices: readonly DatedPrices[];
  context?: number;
}

export interface BookProvider {
  /** A regular expression for the beginning of the provider's base URL. */
  api: string;
  models: readonly BookModel[];
  /** Providers whose models this one serves as well, asked in this order. */
  fallbacks?: readonly string[];
}

/** The prices of the providers that the gateway knows, as of one version of their source. */
export interface PriceBook {
  version: string;
  providers: Readonly<Record<string, BookProvider>>;
}

let loading: Promise<PriceBook> | undefined;

/** The book that comes with the product. It is read at the first call, so that functions without a need for it don't load it. */
export function loadPriceBook(): Promise<PriceBook> {
  loading ??= import('./price-book.json', { with: { type: 'json' } }).then(({ default: book }): PriceBook => JSON.parse(book.content));
  return loading;
}
