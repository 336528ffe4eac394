import { normalUsage } from '../../pricing/normal-usage.ts';
import type { ReportedUsage } from '../../pricing/usage.ts';
import { wireUsage } from '../../pricing/wire-usage.ts';
import type { WireUsage } from '../../wire/chat.ts';
import { isJsonObject } from '../../wire/json-schema-refs.ts';

/**
 * Merges what an event of a stream says about usage into what was known. Anthropic's numbers are cumulative, so the last value of each
 * field wins. A field that comes as null says nothing.
 */
export function mergeUsage(known: Readonly<Record<string, unknown>>, said: unknown): Record<string, unknown> {
  if (!isJsonObject(said)) return { ...known };
  return { ...known, ...Object.fromEntries(Object.entries(said).filter(([, value]) => value !== null)) };
}

export function reportedUsage(fields: Readonly<Record<string, unknown>>): ReportedUsage {
  const { service_tier } = fields;
  return { dialect: 'anthropic', fields, ...(typeof service_tier === 'string' && { service_tier }) };
}

/** Anthropic's numbers in OpenAI's form. OpenAI's `prompt_tokens` contain the cached tokens, Anthropic's `input_tokens` don't. */
export const openaiUsage = (fields: Readonly<Record<string, unknown>>): WireUsage =>
  wireUsage(normalUsage(reportedUsage(fields), { prompt_tokens: 0, completion_tokens: 0 }));
