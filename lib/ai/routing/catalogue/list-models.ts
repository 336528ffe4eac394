import type { ProjectSettings } from '../project-settings.ts';
import type { ModelCatalogue } from './model-catalogue.ts';

/** A model as OpenAI's list shows it. */
export interface ListedModel {
  id: string;
  object: 'model';
  /** Epoch seconds. The same at every call, because clients compare lists. */
  created: number;
  owned_by: string;
}

/** Nobody tells when the models of all makers were made, so all have the same day: 2025-01-01. */
const CREATED = 1_735_689_600;

/**
 * The models that a project can ask for, each under its provider's prefix, which always works. A name without a prefix is listed too: it
 * goes to whichever provider is best. Groups come first.
 */
export function listModels(settings: Pick<ProjectSettings, 'providers' | 'groups'>, catalogue: ModelCatalogue): ListedModel[] {
  const entries = new Map<string, string>(settings.groups.map(({ id }) => [id, 'group']));
  const add = (id: string, owner: string) => {
    if (!entries.has(id)) entries.set(id, owner);
  };
  for (const provider of settings.providers) {
    if (!provider.enabled) continue;
    for (const id of catalogue.list(provider)) {
      add(`${provider.provider_id}/${id}`, provider.provider_id);
      if (provider.type !== 'simulated') add(id, provider.provider_id);
    }
  }
  return [...entries].map(([id, owned_by]) => ({ id, object: 'model', created: CREATED, owned_by }));
}

/** One model by its name; undefined if no list has it. A name that a provider's prefix passes through is no listed model. */
export function findListedModel(
  settings: Pick<ProjectSettings, 'providers' | 'groups'>,
  catalogue: ModelCatalogue,
  id: string,
): ListedModel | undefined {
  return listModels(settings, catalogue).find((model) => model.id === id);
}
