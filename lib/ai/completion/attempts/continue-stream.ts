import type { ChatCall } from '../../providers/adapter.ts';
import type { Candidate } from '../../routing/plan-types.ts';
import type { ChatChunk } from '../../wire/chat.ts';
import type { IncomingChat, RunningCall } from '../call/running-call.ts';

/** What a stream has told its caller so far, as far as another provider could go on from it. */
export interface ToldText {
  note(chunk: ChatChunk): void;
  /** The text to go on from; undefined if nobody could do that without the caller's notice. */
  text(): string | undefined;
}

/** The candidates that can go on with an answer that another one has begun: only those whose model is declared to take it. */
export const continuers = ({ plan }: RunningCall): Candidate[] => plan.attempts.filter(({ model }) => model.features?.includes('prefill'));

/**
 * Keeps the text of one answer. Nothing can go on from a tool call, from reasoning, from one of several answers, or from structured
 * output, whose parts have no end at which another provider would begin.
 */
export function keepToldText({ call: { request } }: RunningCall<IncomingChat>): ToldText {
  const format: unknown = Object(request.response_format).type;
  let possible = (request.n ?? 1) === 1 && (format === undefined || format === 'text');
  const pieces: string[] = [];
  return {
    note({ choices }) {
      if (!possible) return;
      for (const { delta } of choices) {
        if (delta.tool_calls || delta.reasoning_content || delta.reasoning_details || delta.refusal || delta.audio) possible = false;
        if (delta.content) pieces.push(delta.content);
      }
    },
    text: () => (possible ? pieces.join('') : undefined),
  };
}

/** The same call, with the beginning of the answer in it. Blanks at its end are left out, because Anthropic refuses them. */
export function continuing(chat: ChatCall, told: string): ChatCall {
  const { request, forwarded, default_output_tokens } = chat;
  return {
    request: { ...request, messages: [...request.messages, { role: 'assistant', content: told.trimEnd() }] },
    forwarded,
    ...(default_output_tokens !== undefined && { default_output_tokens }),
  };
}

/** Takes the blanks off the beginning of a continuation that the caller has got already. Returns the chunk, changed or not. */
export function blankCutter(told: string): (chunk: ChatChunk) => ChatChunk {
  let blanks = told.slice(told.trimEnd().length);
  return (chunk) => {
    if (blanks === '') return chunk;
    const choices = chunk.choices.map((choice) => {
      const { content } = choice.delta;
      if (!content || blanks === '') return choice;
      let same = 0;
      while (same < content.length && content[same] === blanks[same]) same++;
      // Other text than the blanks: the provider goes on without them.
      blanks = same < content.length ? '' : blanks.slice(same);
      return { ...choice, delta: { ...choice.delta, content: content.slice(same) } };
    });
    return { ...chunk, choices };
  };
}
