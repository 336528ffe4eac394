import { bookProvider, modelInBook } from '../../pricing/find-prices.ts';
import type { PriceBook } from '../../pricing/price-book.ts';
import type { UsableProvider } from '../project-settings.ts';
import type { ModelBook } from './model-catalogue.ts';

/** The book prices models by Google's other service too, which has other makers' models; the Gemini API has only Google's own. */
const isServed = ({ type }: UsableProvider, model: string): boolean => type !== 'google' || /^(gemini|gemma|learnlm)/.test(model);
/** Entries of the book that price a kind of model, and are no name that one can ask for. */
const isName = (id: string): boolean => !/^ft:|-$|:extended$/.test(id);

/** The models of the price book. */
export const bookModels = (book: PriceBook): ModelBook => ({
  find: (provider, model) => (isServed(provider, model) ? modelInBook(book, provider, model) : undefined),
  list(provider) {
    const ids = bookProvider(book, provider)?.models.map(({ id }) => id) ?? [];
    return ids.filter((id) => isName(id) && isServed(provider, id));
  },
});
