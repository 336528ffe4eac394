import type { ModelCatalogue } from '../catalogue/model-catalogue.ts';
import type { ModelGroup, ProjectSettings, ProviderModel, UsableProvider } from '../project-settings.ts';

/** A model at a provider, with the weight and priority that hold there: a group's own win over its provider's. */
export interface Place {
  provider: UsableProvider;
  model: ProviderModel;
  weight: number | undefined;
  priority: number;
}

/** The places that a name of a model stands for. */
export interface ResolvedName {
  places: readonly Place[];
  /** The group of this name, if it is one. */
  group?: ModelGroup;
}

type Source = Pick<ProjectSettings, 'providers' | 'groups'>;

/** Finds the places of a name in this order: a group, a provider's prefix, the catalogues, a provider's prefix as a pass-through. */
export function resolveModelName(name: string, settings: Source, catalogue: ModelCatalogue): ResolvedName | undefined {
  const group = settings.groups.find(({ id }) => id === name);
  if (group) return { places: group.targets.flatMap((target) => placeOfTarget(target, settings, catalogue)), group };
  const prefixed = splitPrefix(name, settings);
  const own = prefixed && catalogue.find(prefixed.provider, prefixed.rest);
  if (own) return { places: [placeAt(prefixed.provider, own)] };
  const serving = settings.providers.flatMap((provider) => placesInCatalogue(provider, name, catalogue));
  if (serving.length > 0) return { places: serving };
  if (!prefixed) return undefined;
  return { places: [placeAt(prefixed.provider, catalogue.unlisted(prefixed.provider, prefixed.rest))] };
}

/** Exactly one segment is taken off, so that `openrouter/openai/gpt-4o` asks openrouter for `openai/gpt-4o`. */
function splitPrefix(name: string, { providers }: Source): { provider: UsableProvider; rest: string } | undefined {
  const slash = name.indexOf('/');
  if (slash <= 0 || slash === name.length - 1) return undefined;
  const provider = providers.find(({ provider_id }) => provider_id === name.slice(0, slash));
  return provider && { provider, rest: name.slice(slash + 1) };
}

/** Services that have other makers' models put the maker before the name: their `openai/gpt-4o` is everybody's `gpt-4o`. */
const MAKERS = ['openai', 'anthropic', 'google', 'mistralai', 'deepseek', 'x-ai', 'cohere'];

function placesInCatalogue(provider: UsableProvider, name: string, catalogue: ModelCatalogue): Place[] {
  // The simulated provider has any model, but only under its own prefix.
  if (provider.type === 'simulated') return [];
  const model = catalogue.find(provider, name);
  if (model) return [placeAt(provider, model)];
  if (name.includes('/') || provider.type !== 'openai-compatible') return [];
  const made = MAKERS.map((maker) => catalogue.find(provider, `${maker}/${name}`)).find((found) => found !== undefined);
  return made ? [placeAt(provider, made)] : [];
}

function placeOfTarget({ model, weight, priority }: ModelGroup['targets'][number], settings: Source, catalogue: ModelCatalogue): Place[] {
  const target = splitPrefix(model, settings);
  if (!target) return [];
  const found = catalogue.find(target.provider, target.rest) ?? catalogue.unlisted(target.provider, target.rest);
  const place = placeAt(target.provider, found);
  return [{ ...place, weight: weight ?? place.weight, priority: priority ?? place.priority }];
}

const placeAt = (provider: UsableProvider, model: ProviderModel): Place => ({
  provider,
  model,
  weight: provider.weight,
  priority: provider.priority,
});
