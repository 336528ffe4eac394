import { estimateTokens } from '../../pricing/token-estimate.ts';
import type { ChatChunk, ChatCompletion } from '../../wire/chat.ts';
import { isObject } from '../../wire/wire-values.ts';
import type { AttemptNote } from '../call/call-journal.ts';
import { argumentsText } from '../rules/tool-deltas.ts';

/** Notes the size of a whole answer. */
export function noteAnswer(note: AttemptNote, { choices }: ChatCompletion): void {
  for (const { message } of choices) note.producedTokens += tokensOf(message);
}

/** Notes the size of one piece of an answer. A piece of a text is a token or a few, so that none is counted as nothing. */
export function noteChunk(note: AttemptNote, { choices }: ChatChunk): void {
  for (const choice of choices) note.producedTokens += tokensOf(choice?.delta);
}

/** The types only hope for what a provider sends: this reads pieces before any rule has mended them. */
function tokensOf(piece: unknown): number {
  if (!isObject(piece)) return 0;
  const { content, refusal, reasoning_content, tool_calls } = piece;
  let tokens = textTokens(content) + textTokens(refusal) + textTokens(reasoning_content);
  if (!Array.isArray(tool_calls)) return tokens;
  for (const call of tool_calls) {
    if (!isObject(call) || !isObject(call.function)) continue;
    tokens += textTokens(call.function.name) + textTokens(argumentsText(call.function.arguments));
  }
  return tokens;
}

const textTokens = (text: unknown): number => (typeof text === 'string' && text !== '' ? estimateTokens(text) : 0);
