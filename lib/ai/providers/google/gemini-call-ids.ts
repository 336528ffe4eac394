import { newId } from '../../../platform/ids.ts';
import type { GeminiFamily } from './gemini-family.ts';

/** An id for a call that came without one, in the form that OpenAI's clients expect. */
export const newCallId = (): string => `call_${newId().replaceAll('-', '').slice(0, 24)}`;

/**
 * The id of a call as Google gets it. Newer models want one at every call and its result. Older ones get theirs back only: ids that the
 * gateway, OpenAI or Anthropic made mean nothing to them.
 */
export const nativeId = (id: unknown, { callIds }: GeminiFamily): { id?: string } =>
  typeof id === 'string' && id !== '' && (callIds || !/^(call|toolu|fc)_/.test(id)) ? { id } : {};
