import type { ProviderModel } from '../project-settings.ts';

/** What is known of a family of models beside its prices. An owner's own settings win over it. */
export type KnownModel = Omit<ProviderModel, 'id' | 'prices'>;

const CHAT = ['tools', 'json_schema', 'streaming'] as const;
const SEEING = [...CHAT, 'vision'] as const;
const REASONING = [...SEEING, 'reasoning'] as const;

/**
 * Families of models by the beginning of their names; the longest beginning that fits is right. Qualities, speeds and the contexts of the
 * first five are the contract's (A.6). Features are named only where the provider documents them: a model without them may do anything.
 */
const FAMILIES: readonly (readonly [string, KnownModel])[] = [
  ['gpt-4', { quality: 0.95, speed: 0.6, context: 8_192 }],
  ['gpt-4-turbo', { quality: 0.93, speed: 0.75, context: 128_000, features: SEEING, max_output_tokens: 4_096 }],
  ['gpt-4o', { quality: 0.92, speed: 0.85, context: 128_000, features: SEEING, max_output_tokens: 16_384 }],
  ['gpt-4o-mini', { quality: 0.85, speed: 0.95, context: 128_000, features: SEEING, max_output_tokens: 16_384 }],
  ['gpt-3.5-turbo', { quality: 0.8, speed: 0.9, context: 16_384, max_output_tokens: 4_096 }],
  ['gpt-4.1', { context: 1_047_576, features: SEEING, max_output_tokens: 32_768 }],
  ['gpt-5', { context: 400_000, features: REASONING, max_output_tokens: 128_000 }],
  ['o3', { context: 200_000, features: REASONING, max_output_tokens: 100_000 }],
  ['o4-mini', { context: 200_000, features: REASONING, max_output_tokens: 100_000 }],
  ['claude-3-5', { context: 200_000, features: [...SEEING, 'prefill'], max_output_tokens: 8_192 }],
  ['claude-3-7', { context: 200_000, features: [...REASONING, 'prefill'], max_output_tokens: 64_000 }],
  ['claude-sonnet-4', { context: 200_000, features: REASONING, max_output_tokens: 64_000 }],
  ['claude-opus-4', { context: 200_000, features: REASONING, max_output_tokens: 32_000 }],
  ['claude-haiku-4', { context: 200_000, features: REASONING, max_output_tokens: 64_000 }],
  ['gemini-1.5', { features: SEEING, max_output_tokens: 8_192 }],
  ['gemini-2.0', { context: 1_048_576, features: SEEING, max_output_tokens: 8_192 }],
  ['gemini-2.5', { context: 1_048_576, features: REASONING, max_output_tokens: 65_536 }],
  ['gemini-3', { context: 1_048_576, features: REASONING, max_output_tokens: 65_536 }],
];
const LONGEST_FIRST = [...FAMILIES].sort(([a], [b]) => b.length - a.length);

/** A dated name (`gpt-4o-2024-08-06`) is of its family, another member of the family (`gpt-4o-audio-preview`) is not known. */
const DATED = /^(?:[-@]?(?:\d{4}-?\d{2}-?\d{2}|\d{4}|latest|preview|exp|\d{3}))*$/;
const WHOLE_FAMILIES = /^(?:claude|gemini|gpt-5|gpt-4\.1|o3|o4)/;

/** What is known of a model by its name, whoever serves it. */
export function knownModel(id: string): KnownModel | undefined {
  const name = id.slice(id.lastIndexOf('/') + 1);
  const [family, known] = LONGEST_FIRST.find(([beginning]) => name.startsWith(beginning)) ?? [];
  if (family === undefined) return undefined;
  return DATED.test(name.slice(family.length)) || WHOLE_FAMILIES.test(family) ? known : undefined;
}

/** The quality that a model of unknown quality is compared with. */
export const UNKNOWN_QUALITY = 0.8;
