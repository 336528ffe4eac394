import type { ProviderType } from '../providers/adapter.ts';
import type { ChatRequest } from '../wire/chat.ts';

/** The stop sequences that the provider refuses, so that the gateway has to keep the caller's wish itself. */
export function keptStops({ stop }: ChatRequest, type: ProviderType): string[] {
  // Anthropic refuses sequences of blanks.
  if (type !== 'anthropic' || stop === null || stop === undefined) return [];
  const all: unknown[] = Array.isArray(stop) ? stop : [stop];
  return all.filter((one): one is string => typeof one === 'string' && one !== '' && one.trim() === '');
}
