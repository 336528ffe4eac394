import type { ProviderType } from '../../providers/adapter.ts';
import { OPENAI_PRESETS } from '../../providers/openai/openai-presets.ts';

/** What is known about a service, so that its owner need not say it. */
export interface ProviderPreset {
  name: string;
  /** The wire that it speaks. */
  wire: ProviderType;
  /** Absent where each customer has an address of their own. */
  base_url?: string;
  /** It can be used without a key. */
  keyless?: boolean;
}

/** The types that a provider can be created with. `aws` and `replicate` need the address of an endpoint that speaks OpenAI's wire. */
export const PROVIDER_KINDS = {
  openai: { name: 'OpenAI', wire: 'openai', base_url: 'https://api.openai.com/v1' },
  anthropic: { name: 'Anthropic', wire: 'anthropic', base_url: 'https://api.anthropic.com/v1' },
  google: { name: 'Google Gemini', wire: 'google', base_url: 'https://generativelanguage.googleapis.com/v1beta' },
  azure: { name: 'Azure OpenAI', wire: 'azure' },
  'openai-compatible': { name: 'OpenAI-compatible', wire: 'openai-compatible', keyless: true },
  cohere: { name: 'Cohere', wire: 'openai-compatible', base_url: 'https://api.cohere.ai/compatibility/v1' },
  huggingface: { name: 'Hugging Face', wire: 'openai-compatible', base_url: 'https://router.huggingface.co/v1' },
  aws: { name: 'Amazon Bedrock', wire: 'openai-compatible' },
  replicate: { name: 'Replicate', wire: 'openai-compatible' },
} as const satisfies Record<string, ProviderPreset>;
export type ProviderKind = keyof typeof PROVIDER_KINDS;

/** Services that speak OpenAI's wire, for the type `openai-compatible`. Their addresses stand with their other traits. */
export const COMPATIBLE_PRESETS = {
  vllm: { name: 'vLLM', wire: 'openai-compatible', keyless: true },
  ollama: { name: 'Ollama', wire: 'openai-compatible', keyless: true },
  groq: { name: 'Groq', wire: 'openai-compatible' },
  together: { name: 'Together AI', wire: 'openai-compatible' },
  deepseek: { name: 'DeepSeek', wire: 'openai-compatible' },
  openrouter: { name: 'OpenRouter', wire: 'openai-compatible' },
  mistral: { name: 'Mistral', wire: 'openai-compatible' },
  xai: { name: 'xAI', wire: 'openai-compatible' },
  azure: { name: 'Azure OpenAI', wire: 'azure' },
} as const satisfies Record<string, ProviderPreset>;
export type CompatiblePreset = keyof typeof COMPATIBLE_PRESETS;

export function presetOf(kind: ProviderKind, preset: CompatiblePreset | undefined): ProviderPreset {
  if (preset === undefined) return PROVIDER_KINDS[kind];
  const base_url = OPENAI_PRESETS.find(({ name }) => name === preset)?.base_url;
  return { ...COMPATIBLE_PRESETS[preset], ...(base_url && { base_url }) };
}
