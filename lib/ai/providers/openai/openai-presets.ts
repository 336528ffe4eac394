/** How a server differs from OpenAI's own. Each absent member means: as OpenAI does it. */
export interface Preset {
  name: string;
  /** The address that a provider of this kind has if its owner names none. */
  base_url: string | null;
  /** The host of the base address, with its port if it has one, to know a provider by its address. */
  host?: RegExp;
  /** The header that carries the key. */
  key_header?: 'api-key';
  /** `always`: it reports usage in streams unasked, and may refuse to be asked. */
  stream_usage?: 'always';
  /** It takes only this name for the limit of the answer. */
  limit_name?: 'max_tokens';
  /** It does not know the role `developer`. */
  system_role_only?: true;
  /** It takes one system message, at the beginning: the templates of many open models refuse others. */
  one_system_message?: true;
  /** It refuses members of messages that OpenAI doesn't have, such as the reasoning of earlier turns. */
  strict_messages?: true;
  /** It gives embeddings as numbers only. */
  float_embeddings?: true;
  /** It has the legacy completions. */
  completions?: true;
}

/** After the public documentation of each. */
export const OPENAI_PRESETS: readonly Preset[] = [
  { name: 'openai', base_url: 'https://api.openai.com/v1', host: /(^|\.)openai\.com$/, strict_messages: true, completions: true },
  {
    name: 'azure',
    base_url: null,
    host: /\.(openai\.azure|cognitiveservices\.azure|services\.ai\.azure)\.(com|us|cn)$/,
    key_header: 'api-key',
    strict_messages: true,
    completions: true,
  },
  {
    name: 'groq',
    base_url: 'https://api.groq.com/openai/v1',
    host: /(^|\.)groq\.com$/,
    system_role_only: true,
    strict_messages: true,
    float_embeddings: true,
  },
  {
    name: 'together',
    base_url: 'https://api.together.xyz/v1',
    host: /(^|\.)together\.(xyz|ai)$/,
    limit_name: 'max_tokens',
    system_role_only: true,
    float_embeddings: true,
    completions: true,
  },
  {
    name: 'deepseek',
    base_url: 'https://api.deepseek.com/v1',
    host: /(^|\.)deepseek\.com$/,
    limit_name: 'max_tokens',
    system_role_only: true,
  },
  { name: 'openrouter', base_url: 'https://openrouter.ai/api/v1', host: /(^|\.)openrouter\.ai$/, completions: true },
  {
    name: 'mistral',
    base_url: 'https://api.mistral.ai/v1',
    host: /(^|\.)mistral\.ai$/,
    stream_usage: 'always',
    limit_name: 'max_tokens',
    system_role_only: true,
    strict_messages: true,
    float_embeddings: true,
  },
  { name: 'xai', base_url: 'https://api.x.ai/v1', host: /(^|\.)x\.ai$/, system_role_only: true, completions: true },
  {
    name: 'ollama',
    base_url: 'http://localhost:11434/v1',
    host: /:11434$/,
    limit_name: 'max_tokens',
    system_role_only: true,
    completions: true,
  },
  {
    name: 'vllm',
    base_url: 'http://localhost:8000/v1',
    limit_name: 'max_tokens',
    system_role_only: true,
    one_system_message: true,
    completions: true,
  },
];

/** Servers that nobody knows are asked as the widespread open ones are: every server knows `max_tokens`. */
const UNKNOWN: Preset = {
  name: 'openai-compatible',
  base_url: null,
  limit_name: 'max_tokens',
  system_role_only: true,
  one_system_message: true,
  completions: true,
};

const byAddress = new Map<string, Preset>();
const MOST_ADDRESSES = 1_000;

export function presetFor(baseUrl: string, type: string): Preset {
  const name = type === 'openai' || type === 'azure' ? type : undefined;
  const key = name ?? baseUrl;
  const known = byAddress.get(key);
  if (known) return known;
  const found =
    OPENAI_PRESETS.find((preset) => (name === undefined ? preset.host?.test(hostOf(baseUrl)) : preset.name === name)) ?? UNKNOWN;
  if (byAddress.size >= MOST_ADDRESSES) byAddress.clear();
  byAddress.set(key, found);
  return found;
}

function hostOf(address: string): string {
  try {
    return new URL(address).host;
  } catch {
    return '';
  }
}
