import type { ListedModel } from '../routing/catalogue/list-models.ts';

export const openaiModelList = (models: readonly ListedModel[]) => ({ object: 'list' as const, data: models });

/** The list that Anthropic's clients read. */
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
