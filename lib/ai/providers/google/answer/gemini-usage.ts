import type { ReportedUsage } from '../../../pricing/usage.ts';
import type { WireUsage } from '../../../wire/chat.ts';

/** Google's usage in OpenAI's form. Thoughts belong to the answer; cached tokens are part of the prompt already. */
export function geminiWireUsage(fields: Readonly<Record<string, unknown>>): WireUsage {
  const count = (name: string): number => {
    const value = fields[name];
    return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
  };
  const prompt = count('promptTokenCount') + count('toolUsePromptTokenCount');
  const reasoning = count('thoughtsTokenCount');
  const completion = count('candidatesTokenCount') + reasoning;
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: count('cachedContentTokenCount'), audio_tokens: modality(fields.promptTokensDetails, 'AUDIO') },
    completion_tokens_details: { reasoning_tokens: reasoning, audio_tokens: modality(fields.candidatesTokensDetails, 'AUDIO') },
  };
}

/** What Google reported. The tier that served the call may be another than the one that was asked for. */
export function geminiUsage(fields: Readonly<Record<string, unknown>>): ReportedUsage {
  const { serviceTier } = fields;
  if (typeof serviceTier !== 'string') return { dialect: 'gemini', fields };
  const tier = serviceTier.toLowerCase().replace('service_tier_', '');
  return { dialect: 'gemini', fields, service_tier: tier === 'standard' ? 'default' : tier };
}

function modality(details: unknown, wanted: string): number {
  if (!Array.isArray(details)) return 0;
  const found: unknown = details.find((entry) => entry?.modality === wanted)?.tokenCount;
  return typeof found === 'number' && Number.isSafeInteger(found) && found > 0 ? found : 0;
}
