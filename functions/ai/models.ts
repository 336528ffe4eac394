import * as z from 'zod';
import { findListedModel, listModels } from '../../lib/ai/routing/catalogue/list-models.ts';
import { anthropicModel, anthropicModelList, openaiModelList } from '../../lib/ai/wire/model-list.ts';
import { AppError } from '../../lib/platform/errors.ts';
import { reply } from '../../lib/platform/http/endpoint.ts';
import { anyProjectKey, type InferenceContext, inferenceEndpoint, inferenceFunction } from './inference-endpoint.ts';

const json = (body: unknown) => reply<never>({ headers: { 'content-type': 'application/json' }, text: JSON.stringify(body) });
const wantsAnthropic = ({ request }: InferenceContext) => request.headers['anthropic-version'] !== undefined;

async function model(context: InferenceContext, id: string) {
  const { services, principal } = context;
  const found = findListedModel(await services.ports.settingsOf(principal.project_id), services.catalogue, id);
  if (!found)
    throw new AppError('not_found', `The model '${id}' does not exist or is not available to this project.`, {
      code: 'model_not_found',
      details: { param: 'model' },
    });
  return json(wantsAnthropic(context) ? anthropicModel(found) : found);
}

export const modelEndpoints = [
  inferenceEndpoint({
    id: 'list_models',
    method: 'GET',
    path: '/v1/models',
    summary: 'The models that the project can ask for',
    description: "Callers who send `anthropic-version` get Anthropic's list, others OpenAI's.",
    tag: 'inference',
    access: anyProjectKey,
    status: 200,
    async handle(context) {
      const { services, principal } = context;
      const models = listModels(await services.ports.settingsOf(principal.project_id), services.catalogue);
      return json(wantsAnthropic(context) ? anthropicModelList(models) : openaiModelList(models));
    },
  }),
  inferenceEndpoint({
    id: 'get_model',
    method: 'GET',
    path: '/v1/models/{model}',
    summary: 'One model',
    description: 'A slash in the id may be written as `%2F` or as it is.',
    tag: 'inference',
    access: anyProjectKey,
    params: z.object({ model: z.string().max(256) }),
    status: 200,
    handle: (context, { params }) => model(context, params.model),
  }),
  inferenceEndpoint({
    id: 'get_model_of_provider',
    method: 'GET',
    path: '/v1/models/{provider}/{model}',
    summary: 'One model, with a slash in its id as it is',
    tag: 'inference',
    access: anyProjectKey,
    params: z.object({ provider: z.string().max(256), model: z.string().max(256) }),
    status: 200,
    handle: (context, { params }) => model(context, `${params.provider}/${params.model}`),
  }),
];
export const handler = inferenceFunction(modelEndpoints);
