import type { FinishReason } from '../../../wire/chat.ts';

/** `unusable`: the model made nothing that a caller could use, so another attempt may help. */
type Ending = FinishReason | 'unusable';

/** Google's finish reasons. The guide for providers has this table too. */
const ENDINGS: Readonly<Record<string, Ending>> = {
  STOP: 'stop',
  // Not in Google's documentation, but simulators send it.
  FUNCTION_CALL: 'tool_calls',
  MAX_TOKENS: 'length',
  SAFETY: 'content_filter',
  BLOCKLIST: 'content_filter',
  PROHIBITED_CONTENT: 'content_filter',
  SPII: 'content_filter',
  LANGUAGE: 'content_filter',
  MODEL_ARMOR: 'content_filter',
  IMAGE_SAFETY: 'content_filter',
  IMAGE_PROHIBITED_CONTENT: 'content_filter',
  RECITATION: 'stop',
  IMAGE_RECITATION: 'stop',
  OTHER: 'stop',
  IMAGE_OTHER: 'stop',
  NO_IMAGE: 'stop',
  MALFORMED_FUNCTION_CALL: 'unusable',
  UNEXPECTED_TOOL_CALL: 'unusable',
  MALFORMED_RESPONSE: 'unusable',
};

/** The finish reason of a candidate. Calls win over STOP, with which Google ends turns with function calls too. */
export function geminiEnding(reason: string, made: { content: boolean; calls: boolean }): Ending {
  const ending = Object.hasOwn(ENDINGS, reason) ? ENDINGS[reason] : undefined;
  if (ending === undefined) return made.calls ? 'tool_calls' : made.content ? 'stop' : 'unusable';
  return made.calls && ending === 'stop' ? 'tool_calls' : ending === 'tool_calls' && !made.calls ? 'stop' : ending;
}
