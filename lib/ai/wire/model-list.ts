import type { ProjectSettings } from '../routing/project-settings.ts';

/** A model as `GET /v1/models` names it. */
export interface ListedModel {
  id: string;
  object: 'model';
  /** Clients compare lists, so this never changes. */
  created: number;
  owned_by: string;
}

/** The gateway has no date of its own for a model, and a date that moves would make clients load their lists anew. 2026-01-01. */
const CREATED = 1_767_225_600;

/** The models that a project can ask for: `provider/model` for each provider, then the names of its groups. */
export function listModels({ providers, groups }: Pick<ProjectSettings, 'providers' | 'groups'>): ListedModel[] {
  const model = (id: string, owned_by: string): ListedModel => ({ id, object: 'model', created: CREATED, owned_by });
  return [
    ...groups.map(({ id }) => model(id, 'brokle')),
    ...providers
      .filter(({ enabled }) => enabled)
      .flatMap(({ provider_id, models }) => models.map(({ id }) => model(`${provider_id}/${id}`, provider_id))),
  ];
}

/** A model by the name that callers use: with its provider, or without one. */
export function findModel(settings: Pick<ProjectSettings, 'providers' | 'groups'>, id: string): ListedModel | undefined {
  const models = listModels(settings);
  const found = models.find((model) => model.id === id) ?? models.find((model) => model.id === `${model.owned_by}/${id}`);
  return found && { ...found, id };
}

export const openaiModelList = (models: readonly ListedModel[]) => ({ object: 'list' as const, data: models });

/** The form that Anthropic's clients read. */
export const anthropicModelList = (models: readonly ListedModel[]) => ({
  data: models.map(anthropicModel),
  has_more: false,
  first_id: models[0]?.id ?? null,
  last_id: models.at(-1)?.id ?? null,
});

export const anthropicModel = ({ id, created }: ListedModel) => ({
  type: 'model' as const,
  id,
  display_name: id,
  created_at: new Date(created * 1_000).toISOString(),
});
