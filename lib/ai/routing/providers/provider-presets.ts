import type { ProviderType } from '../../providers/adapter.ts';

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

/** Services that speak OpenAI's wire, for the type `openai-compatible`. Local servers have an address where they listen by default. */
export const COMPATIBLE_PRESETS = {
  vllm: { name: 'vLLM', wire: 'openai-compatible', base_url: 'http://localhost:8000/v1', keyless: true },
  ollama: { name: 'Ollama', wire: 'openai-compatible', base_url: 'http://localhost:11434/v1', keyless: true },
  groq: { name: 'Groq', wire: 'openai-compatible', base_url: 'https://api.groq.com/openai/v1' },
  together: { name: 'Together AI', wire: 'openai-compatible', base_url: 'https://api.together.xyz/v1' },
  deepseek: { name: 'DeepSeek', wire: 'openai-compatible', base_url: 'https://api.deepseek.com/v1' },
  openrouter: { name: 'OpenRouter', wire: 'openai-compatible', base_url: 'https://openrouter.ai/api/v1' },
  mistral: { name: 'Mistral', wire: 'openai-compatible', base_url: 'https://api.mistral.ai/v1' },
  xai: { name: 'xAI', wire: 'openai-compatible', base_url: 'https://api.x.ai/v1' },
  azure: { name: 'Azure OpenAI', wire: 'azure' },
} as const satisfies Record<string, ProviderPreset>;
export type CompatiblePreset = keyof typeof COMPATIBLE_PRESETS;

/** The names of both lists, for schemas: `enum` needs a tuple. */
export const presetOf = (kind: ProviderKind, preset: CompatiblePreset | undefined): ProviderPreset =>
  preset === undefined ? PROVIDER_KINDS[kind] : COMPATIBLE_PRESETS[preset];
