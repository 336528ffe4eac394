import { answerEmbeddings } from './answer-embeddings.ts';
import type { IncomingChat, RunningCall } from './call/running-call.ts';

/** The semantic cache has to be faster than the provider that it replaces. */
const EMBED_MS = 2_000;
const LONGEST_ID = 128;
const SUFFIX = '-question';

/**
 * The meaning of a text as a vector, by the project's own embedding model. It is a call of its own: it is limited by the same budgets, and
 * has a record and a cost. Undefined if no provider gives a vector in time, or no budget has room for it: then nothing is similar.
 */
export async function embedQuestion(
  { ports, call }: RunningCall<IncomingChat>,
  model: string,
  text: string,
): Promise<number[] | undefined> {
  // Wishes about the chat's own provider don't concern the one that embeds.
  const { routing_strategy: _strategy, max_cost_usd: _most, fallbacks: _fallbacks, ...options } = call.options;
  const request = { model, input: text };
  try {
    const { embeddings } = await answerEmbeddings(ports, {
      request_id: call.request_id.slice(0, LONGEST_ID - SUFFIX.length) + SUFFIX,
      operation: 'embeddings',
      principal: call.principal,
      options,
      forwarded: {},
      signal: AbortSignal.any([call.signal, AbortSignal.timeout(EMBED_MS)]),
      // One round of attempts: the provider of the chat is waiting.
      client_retries: 1,
      log: call.log,
      noted: {},
      request,
      text: JSON.stringify(request),
    });
    return embeddings.vectors[0];
  } catch (error) {
    call.log.warn('question_not_embedded', { model, error });
    return undefined;
  }
}
