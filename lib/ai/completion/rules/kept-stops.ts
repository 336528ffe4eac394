import type { ProviderType } from '../../providers/adapter.ts';
import { MOST_GEMINI_STOPS } from '../../providers/google/request/gemini-generation.ts';
import type { ChatRequest } from '../../wire/chat.ts';

/** The stop sequences that the provider refuses, so that the gateway has to keep the caller's wish itself. */
export function keptStops({ stop }: ChatRequest, type: ProviderType): string[] {
  if (stop === null || stop === undefined) return [];
  const all: unknown[] = Array.isArray(stop) ? stop : [stop];
  const wished = all.filter((one): one is string => typeof one === 'string' && one !== '');
  switch (type) {
    case 'anthropic':
      // It refuses sequences of blanks.
      return wished.filter((one) => one.trim() === '');
    case 'google':
      return wished.slice(MOST_GEMINI_STOPS);
    default:
      return [];
  }
}
