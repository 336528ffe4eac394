import { type CacheQuestion, cacheKey } from './cache-key.ts';

export interface SimilarQuestion {
  /** One for all requests that differ in nothing but the last text of the user. */
  fingerprint: string;
  /** That text. */
  text: string;
}

/** Longer texts say too much for one vector to stand for them. */
const MAX_CHARACTERS = 8_000;

/**
 * The part of a request that may be compared by its meaning: the last text of the user. Everything else has to be equal: model, settings,
 * system prompt, history, and the end user. Undefined for requests whose answer depends on more than text: tools, functions, pictures.
 */
export function similarQuestion(question: CacheQuestion, endUser: string | undefined): SimilarQuestion | undefined {
  const { messages, tools, functions, ...rest } = question.request;
  if (!Array.isArray(messages) || (Array.isArray(tools) && tools.length > 0) || (Array.isArray(functions) && functions.length > 0))
    return undefined;
  const before: unknown[] = messages.slice(0, -1);
  const last: unknown = messages.at(-1);
  const text = isObject(last) && last.role === 'user' ? textOf(last.content) : undefined;
  if (text === undefined || text.trim() === '' || text.length > MAX_CHARACTERS || !isObject(last)) return undefined;
  if (
    !before.every(
      (message) =>
        isObject(message) && (message.content === null || message.content === undefined || textOf(message.content) !== undefined),
    )
  )
    return undefined;
  const { content: _text, ...lastRest } = last;
  const fingerprint = cacheKey({
    ...question,
    operation: `similar ${question.operation}`,
    request: { ...rest, messages: [...before, lastRest], end_user: endUser ?? null },
  });
  return fingerprint === undefined ? undefined : { fingerprint, text };
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The text of a content; undefined if it is more than text. */
function textOf(content: unknown): string | undefined {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return undefined;
  const texts = content.map((part: unknown) =>
    isObject(part) && part.type === 'text' && typeof part.text === 'string' ? part.text : undefined,
  );
  return texts.every((text) => text !== undefined) ? texts.join('\n') : undefined;
}
