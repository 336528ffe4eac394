import type { ChatCompletion } from '../../wire/chat.ts';
import { isObject } from '../../wire/wire-values.ts';

/** The JSON texts of answers that are as their provider sent them. A copy of an answer is not in here. */
const texts = new WeakMap<object, string>();

/** Remembers the provider's own text of an answer, if all that clients need is in it. */
export function keepOwnText(completion: ChatCompletion, text: string): void {
  if (isObject(completion.usage) && !Object.hasOwn(completion, 'brokle')) texts.set(completion, text);
}

/**
 * The JSON of an answer to which nothing but `brokle` was added. The provider's own characters stay where they are known, so that numbers
 * keep their digits.
 */
export function answerText(completion: ChatCompletion & { brokle: unknown }): string {
  const text = texts.get(completion)?.trimEnd();
  return text?.endsWith('}') ? `${text.slice(0, -1)},"brokle":${JSON.stringify(completion.brokle)}}` : JSON.stringify(completion);
}
