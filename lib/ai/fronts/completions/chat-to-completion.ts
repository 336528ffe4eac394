import type { ChatChoice, ChatChunk, ChatCompletion } from '../../wire/chat.ts';
import { nativeBodyOf, nativeEventsOf } from '../../wire/native-answer.ts';
import { isObject, textOrEmpty } from '../../wire/wire-values.ts';

/** A choice of the legacy operation. */
export interface LegacyChoice {
  text: string;
  index: number;
  logprobs: unknown;
  finish_reason: string | null;
}

export const legacyId = (id: string): string => (id.startsWith('chatcmpl-') ? `cmpl-${id.slice('chatcmpl-'.length)}` : id);

/** The choices of a chat as those of a prompt. `first` is the place of the prompt's first choice among those of all prompts. */
export function legacyChoices(completion: ChatCompletion, first: number, echo: string): LegacyChoice[] {
  // A provider that has the legacy operation has repeated the prompt itself.
  const before = nativeBodyOf(completion) ? '' : echo;
  return completion.choices.map(({ index, message, logprobs, finish_reason }: ChatChoice) => ({
    text: before + (message.content ?? ''),
    index: first + index,
    logprobs: legacyLogprobs(logprobs),
    finish_reason,
  }));
}

/** One chunk in the legacy form; undefined if it has nothing to say there, such as an opening. */
export function legacyChunk(chunk: ChatChunk, first: number, echoes: Map<number, string>): Record<string, unknown> | undefined {
  const native = (nativeEventsOf(chunk)?.length ?? 0) > 0;
  const choices = chunk.choices.flatMap(({ index, delta, logprobs, finish_reason }): LegacyChoice[] => {
    const before = native ? '' : (echoes.get(index) ?? '');
    const text = before + (delta.content ?? '');
    if ((delta.content ?? '') === '' && finish_reason === null) return [];
    echoes.set(index, '');
    return [{ text, index: first + index, logprobs: legacyLogprobs(logprobs), finish_reason }];
  });
  if (choices.length === 0 && chunk.usage === undefined) return undefined;
  if (choices.length === 0 && chunk.choices.length > 0) return undefined;
  const { id, created, model, usage, brokle } = chunk;
  return {
    id: legacyId(id),
    object: 'text_completion',
    created,
    model,
    choices,
    ...(usage !== undefined && { usage }),
    ...(brokle !== undefined && { brokle }),
  };
}

/** Log probabilities of a chat in the legacy form; those that are legacy already stay. */
function legacyLogprobs(logprobs: unknown): unknown {
  if (!isObject(logprobs) || !Array.isArray(logprobs.content)) return logprobs ?? null;
  const tokens = logprobs.content.filter(isObject);
  let offset = 0;
  return {
    tokens: tokens.map(({ token }) => token),
    token_logprobs: tokens.map(({ logprob }) => logprob),
    top_logprobs: tokens.map(({ top_logprobs: top }) =>
      Object.fromEntries((Array.isArray(top) ? top : []).filter(isObject).map(({ token, logprob }) => [textOrEmpty(token), logprob])),
    ),
    text_offset: tokens.map(({ token }) => {
      const at = offset;
      offset += textOrEmpty(token).length;
      return at;
    }),
  };
}
