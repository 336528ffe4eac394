import type { PriceOverride, UsableProvider } from '../routing/project-settings.ts';
import type { BookModel, BookProvider, DatedPrices, ModelMatch, PriceBook } from './price-book.ts';
import type { FoundPrices } from './prices.ts';

export interface PriceQuestion {
  /** Of the organization. */
  overrides: readonly PriceOverride[];
  provider: Pick<UsableProvider, 'provider_id' | 'type' | 'base_url' | 'models'>;
  /** The id that is sent upstream. */
  model: string;
  /** The start of the request: prices hold as of then. */
  at_ms: number;
}

/**
 * The prices of a model at a provider: the organization's latest override that is in force, else the prices that the provider was configured
 * with, else the book's. Undefined if nobody knows them.
 */
export function findPrices(book: PriceBook, { overrides, provider, model, at_ms }: PriceQuestion): FoundPrices | undefined {
  const override = overrides
    .filter((one) => one.provider === provider.provider_id && one.model === model && one.valid_from_ms <= at_ms)
    .reduce<PriceOverride | undefined>((latest, one) => (latest && latest.valid_from_ms >= one.valid_from_ms ? latest : one), undefined);
  if (override) return { prices: override.prices, source: `override ${override.id}` };
  const own = provider.models.find(({ id }) => id === model)?.prices;
  if (own) return { prices: own, source: 'provider' };
  const known = modelInBook(book, provider, model);
  return known && { prices: pricesAt(known.prices, at_ms).prices, source: `book ${book.version}` };
}

/** The book's name of a provider: by its type, or for a compatible one by its address, else by its id. */
const BOOK_NAMES = {
  openai: 'openai',
  azure: 'azure',
  anthropic: 'anthropic',
  google: 'google',
  simulated: 'simulated',
  'openai-compatible': undefined,
};

/** The book's entry of a provider; undefined if the book doesn't know it. */
export function bookProvider(book: PriceBook, { provider_id, type, base_url }: PriceQuestion['provider']): BookProvider | undefined {
  const name = BOOK_NAMES[type];
  if (name !== undefined) return book.providers[name];
  return (
    Object.values(book.providers).find(({ api }) => pattern(`^(?:${api})`).test(base_url)) ??
    (Object.hasOwn(book.providers, provider_id) ? book.providers[provider_id] : undefined)
  );
}

/** Answers of the book, which never change. A model's id is a caller's text, so only so many are kept. */
const MOST_ANSWERS = 2_000;
const answers = new WeakMap<PriceBook, Map<string, BookModel | undefined>>();

/** The book's entry of a model at a provider; undefined if the book doesn't know it. */
export function modelInBook(book: PriceBook, provider: PriceQuestion['provider'], model: string): BookModel | undefined {
  const known = answers.get(book) ?? new Map<string, BookModel | undefined>();
  answers.set(book, known);
  const key = `${provider.type} ${provider.provider_id} ${provider.base_url} ${model}`;
  if (known.has(key)) return known.get(key);
  const home = bookProvider(book, provider);
  const id = model.toLowerCase().trim();
  const found = home && (findModel(book, home, id) ?? findModel(book, home, withDashes(id)));
  if (known.size >= MOST_ANSWERS) known.clear();
  known.set(key, found);
  return found;
}

function findModel(book: PriceBook, { models, fallbacks = [] }: BookProvider, id: string): BookModel | undefined {
  const own = models.find(({ match }) => matches(match, id));
  if (own) return own;
  for (const name of fallbacks) {
    const other = book.providers[name];
    const found = other && findModel(book, { ...other, fallbacks: [] }, id);
    if (found) return found;
  }
  return undefined;
}

function matches(match: ModelMatch, id: string): boolean {
  if ('or' in match) return match.or.some((one) => matches(one, id));
  if ('and' in match) return match.and.every((one) => matches(one, id));
  if ('equals' in match) return id === match.equals.toLowerCase();
  if ('starts_with' in match) return id.startsWith(match.starts_with.toLowerCase());
  if ('ends_with' in match) return id.endsWith(match.ends_with.toLowerCase());
  if ('contains' in match) return id.includes(match.contains.toLowerCase());
  return pattern(match.regex).test(id);
}

const patterns = new Map<string, RegExp>();
/** Only the book's own expressions come here, so that there are few. */
function pattern(source: string): RegExp {
  const known = patterns.get(source) ?? new RegExp(source);
  patterns.set(source, known);
  return known;
}

/** Dates in ids are written `20250806` by some and `2025-08-06` by others. The book's entries have the second form. */
const withDashes = (id: string): string =>
  id.replace(/-(20\d{2})(\d{2})(\d{2})(?=-|:|$)/g, (text, year: string, month: string, day: string) => {
    const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
    return date.toISOString().startsWith(`${year}-${month}-${day}`) ? `-${year}-${month}-${day}` : text;
  });

function pricesAt(all: readonly DatedPrices[], atMs: number): DatedPrices {
  const inForce = all.findLast(({ from, daily }) => {
    if (from !== undefined) return atMs >= Date.parse(from);
    if (daily === undefined) return true;
    const [start, end] = daily;
    const second = (atMs % 86_400_000) / 1_000;
    return end < start ? second >= start || second < end : second >= start && second < end;
  });
  return inForce ?? all[0] ?? { prices: {} };
}
