import * as z from 'zod';
import { Name } from '../../../platform/names.ts';
import { ModelPrices } from '../configuration/price-override.ts';
import { COMPATIBLE_PRESETS, PROVIDER_KINDS } from './provider-presets.ts';

const keysOf = <T extends object>(list: T) => Object.keys(list) as (keyof T)[];

/** A provider's id is the first segment of a model's name, so that it has no slash. */
export const ProviderId = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,62}$/,
    'must be lower-case letters, digits, dots, dashes and underscores, and begin with one of the former two',
  );
export const ProviderKindName = z.enum(keysOf(PROVIDER_KINDS));
export const PresetName = z.enum(keysOf(COMPATIBLE_PRESETS));
/** The provider that every project has. It serves only models named `simulated/…` and can't be changed. */
export const SIMULATED = 'simulated';

export const MODEL_FEATURES = ['tools', 'vision', 'json_schema', 'reasoning', 'prefill', 'streaming'] as const;
export const ModelFeature = z.enum(MODEL_FEATURES);
/** The id of a model as a provider writes it: it may have slashes and colons, but no blank. */
export const ModelName = z.string().regex(/^[^\s\p{Cc}]{1,200}$/u, 'must be 1 to 200 characters without blanks');

export const ModelSettings = z
  .strictObject({
    id: ModelName,
    context: z.int().min(1).max(100_000_000).exactOptional(),
    max_output_tokens: z.int().min(1).max(100_000_000).exactOptional(),
    features: z.array(ModelFeature).max(MODEL_FEATURES.length).exactOptional(),
    quality: z.number().min(0).max(1).exactOptional(),
    prices: ModelPrices.exactOptional(),
  })
  .meta({ id: 'ModelSettings' });
export type ModelSettings = z.infer<typeof ModelSettings>;

/** Models as strings or with what is known about them. */
const Models = z
  .array(z.union([ModelName.transform((id): ModelSettings => ({ id })), ModelSettings]))
  .max(300)
  .refine((models) => new Set(models.map(({ id }) => id)).size === models.length, 'must not name a model twice');

const ApiKey = z.string().regex(/^[\x21-\x7e]{1,4096}$/, 'must be 1 to 4096 printable characters without blanks');
const BaseUrl = z.string().max(2048);

const settings = {
  name: Name.exactOptional(),
  models: Models.exactOptional(),
  priority: z.int().min(0).max(1_000).exactOptional(),
  weight: z.number().min(0).max(100).exactOptional(),
  timeout_seconds: z.int().min(1).max(300).exactOptional(),
  max_retries: z.int().min(0).max(10).exactOptional(),
  enabled: z.boolean().exactOptional(),
  /** False for an upstream that refuses `stream_options`: it is not asked for usage in streams. */
  stream_usage: z.boolean().exactOptional(),
};

export const NewProvider = z
  .strictObject({
    type: ProviderKindName,
    preset: PresetName.exactOptional(),
    id: ProviderId.exactOptional(),
    api_key: ApiKey.exactOptional(),
    base_url: BaseUrl.exactOptional(),
    project_id: z.string().nullable().exactOptional(),
    ...settings,
  })
  .meta({ id: 'NewProvider' });
export type NewProvider = z.infer<typeof NewProvider>;

export const ProviderChange = z
  .strictObject({ api_key: ApiKey.exactOptional(), base_url: BaseUrl.exactOptional(), ...settings })
  .refine((change) => Object.keys(change).length > 0, 'must name at least one member')
  .meta({ id: 'ProviderChange' });
export type ProviderChange = z.infer<typeof ProviderChange>;

const time = z.iso.datetime();

/** A provider as it is stored. The key is sealed for its organization and its id, and is opened only to ask the provider. */
export const StoredProvider = z.object({
  version: z.int(),
  organization_id: z.string(),
  id: z.string(),
  name: z.string(),
  kind: ProviderKindName,
  preset: PresetName.exactOptional(),
  base_url: z.string(),
  /** Null for a provider without a key. */
  sealed_key: z.string().nullable(),
  api_key_preview: z.string().nullable(),
  models: z.array(ModelSettings),
  priority: z.int(),
  weight: z.number().exactOptional(),
  timeout_seconds: z.int(),
  max_retries: z.int(),
  enabled: z.boolean(),
  stream_usage: z.boolean().exactOptional(),
  /** The only project that may use it; null for all of the organization. */
  project_id: z.string().nullable(),
  created_at: time,
  updated_at: time,
});
export type StoredProvider = z.infer<typeof StoredProvider>;

/** Binds a sealed key to its place: a sealed text that is copied to another provider can't be opened. */
export const sealedFor = (organizationId: string, providerId: string): string => `${organizationId}|${providerId}`;

/** The ends of a key, for people who compare; nothing of a short one. */
export const previewOf = (key: string): string => (key.length >= 16 ? `${key.slice(0, 4)}...${key.slice(-4)}` : '...');
