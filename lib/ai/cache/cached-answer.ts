import * as z from 'zod';
import type { ChatCompletion } from '../wire/chat.ts';

/** An answer that was given before, with what it had cost. */
export interface CachedAnswer {
  completion: ChatCompletion;
  cost_pico_usd: bigint;
}

/** What is kept of an answer. Its other members are as the provider sent them. */
const Kept = z.object({
  completion: z.looseObject({
    id: z.string(),
    object: z.literal('chat.completion'),
    created: z.number(),
    model: z.string(),
    choices: z
      .array(z.looseObject({ index: z.number(), message: z.looseObject({ role: z.literal('assistant') }), finish_reason: z.string() }))
      .min(1),
  }),
  cost_pico_usd: z.string().regex(/^\d+$/),
});

const COMPLETE: ReadonlySet<string> = new Set(['stop', 'tool_calls', 'length']);
/** Only what every choice brought to an end is worth giving again: nothing that was filtered, refused or cut. */
export const isComplete = ({ choices }: ChatCompletion): boolean =>
  choices.length > 0 && choices.every(({ finish_reason }) => COMPLETE.has(finish_reason));

export const encodeAnswer = ({ completion, cost_pico_usd }: CachedAnswer): string =>
  JSON.stringify({ completion, cost_pico_usd: String(cost_pico_usd) });

/** Undefined for a text that is no answer of this version. */
export function decodeAnswer(text: string): CachedAnswer | undefined {
  const kept = Kept.safeParse(JSON.parse(text));
  if (!kept.success) return undefined;
  // The parse has seen what is read here; the rest is passed on as it was stored.
  return { completion: kept.data.completion as unknown as ChatCompletion, cost_pico_usd: BigInt(kept.data.cost_pico_usd) };
}
