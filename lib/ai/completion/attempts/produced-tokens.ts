import { estimateTokens } from '../../pricing/token-estimate.ts';
import type { ChatChunk, ChatCompletion } from '../../wire/chat.ts';
import type { AttemptNote } from '../call-journal.ts';

/** Notes the size of a whole answer. */
export function noteAnswer(note: AttemptNote, { choices }: ChatCompletion): void {
  for (const { message } of choices) {
    const { content, refusal, reasoning_content, tool_calls = [] } = message;
    let text = `${typeof content === 'string' ? content : ''}${refusal ?? ''}${reasoning_content ?? ''}`;
    for (const { function: call } of tool_calls) text += `${call?.name} ${call?.arguments}`;
    note.producedTokens += estimateTokens(text);
  }
}

/** Notes the size of one piece of an answer. A piece of a text is a token or a few, so that none is counted as nothing. */
export function noteChunk(note: AttemptNote, { choices }: ChatChunk): void {
  for (const { delta } of choices) {
    const { content, refusal, reasoning_content, tool_calls } = delta;
    if (content) note.producedTokens += estimateTokens(content);
    if (reasoning_content) note.producedTokens += estimateTokens(reasoning_content);
    if (refusal) note.producedTokens += estimateTokens(refusal);
    if (!tool_calls) continue;
    for (const { function: call } of tool_calls) note.producedTokens += estimateTokens(`${call?.name ?? ''}${call?.arguments ?? ''}`);
  }
}
