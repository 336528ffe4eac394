import type { ProviderModel, UsableProvider } from '../project-settings.ts';
import { knownModel } from './known-models.ts';

/** The part of the price book that names models. */
export interface ModelBook {
  /** The book's entry for a model of a provider; undefined if the book doesn't know it. */
  find(provider: UsableProvider, model: string): { context?: number | undefined } | undefined;
  /** The ids of the models that the book knows of a provider. */
  list(provider: UsableProvider): readonly string[];
}

/** Which models a provider has: those that its owner listed, or else those of the price book. */
export interface ModelCatalogue {
  find(provider: UsableProvider, model: string): ProviderModel | undefined;
  list(provider: UsableProvider): readonly string[];
  /** What is known of a model that no catalogue has: it is passed through. */
  unlisted(provider: UsableProvider, model: string): ProviderModel;
}

export function createCatalogue(book: ModelBook): ModelCatalogue {
  const describe = (model: ProviderModel, context: number | undefined): ProviderModel => ({
    ...(context !== undefined && { context }),
    ...knownModel(model.id),
    ...model,
  });
  return {
    find(provider, model) {
      if (provider.type === 'simulated') return { id: model };
      const listed = provider.models.find(({ id }) => id === model);
      if (listed) return describe(listed, book.find(provider, model)?.context);
      if (provider.models.length > 0) return undefined;
      const entry = book.find(provider, model);
      return entry && describe({ id: model }, entry.context);
    },
    list: (provider) => (provider.models.length > 0 ? provider.models.map(({ id }) => id) : book.list(provider)),
    unlisted: (provider, model) => describe({ id: model }, book.find(provider, model)?.context),
  };
}
