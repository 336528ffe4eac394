import type { ChatChunk, ChatCompletion, ChunkDelta, FinishReason, ToolCall } from '../wire/chat.ts';

/** Members of a delta that can be put together again. A stream with any other one is not kept. */
const KNOWN: ReadonlySet<string> = new Set(['role', 'content', 'refusal', 'reasoning_content', 'reasoning_details', 'tool_calls']);

interface Folded {
  content: string | null;
  refusal: string | null;
  reasoning: string | null;
  calls: Map<number, ToolCall>;
  logprobs: boolean;
  finish: FinishReason | undefined;
}

/** Puts the chunks of a stream together to the answer that they are. */
export interface ChunkFold {
  add(chunk: ChatChunk): void;
  /** Undefined if the stream had parts that can't be put together, or choices without an end. */
  completion(): ChatCompletion | undefined;
}

export function createChunkFold(): ChunkFold {
  const choices = new Map<number, Folded>();
  let head: ChatChunk | undefined;
  let foldable = true;

  function addDelta(folded: Folded, delta: ChunkDelta): void {
    if (Object.keys(delta).some((name) => !KNOWN.has(name) && delta[name] !== null)) foldable = false;
    if (typeof delta.content === 'string') folded.content = (folded.content ?? '') + delta.content;
    if (typeof delta.refusal === 'string') folded.refusal = (folded.refusal ?? '') + delta.refusal;
    if (typeof delta.reasoning_content === 'string') folded.reasoning = (folded.reasoning ?? '') + delta.reasoning_content;
    // Signed reasoning comes in pieces that only its provider can join.
    if (delta.reasoning_details && delta.reasoning_details.length > 0) foldable = false;
    for (const { index, id, function: called, thought_signature } of delta.tool_calls ?? []) {
      const known = folded.calls.get(index) ?? { id: id ?? '', type: 'function' as const, function: { name: '', arguments: '' } };
      folded.calls.set(index, {
        ...known,
        function: { name: known.function.name || (called?.name ?? ''), arguments: known.function.arguments + (called?.arguments ?? '') },
        ...(thought_signature !== undefined && { thought_signature }),
      });
    }
  }

  return {
    add(chunk) {
      head ??= chunk;
      for (const { index, delta, logprobs, finish_reason } of chunk.choices) {
        const folded = choices.get(index) ?? {
          content: null,
          refusal: null,
          reasoning: null,
          calls: new Map(),
          logprobs: false,
          finish: undefined,
        };
        choices.set(index, folded);
        if (logprobs) foldable = false;
        addDelta(folded, delta);
        if (finish_reason) folded.finish = finish_reason;
      }
    },
    completion() {
      if (!foldable || !head || choices.size === 0) return undefined;
      const folded = [...choices].sort(([a], [b]) => a - b);
      const whole = folded.flatMap(([index, { content, refusal, reasoning, calls, finish }]) =>
        finish === undefined
          ? []
          : [
              {
                index,
                message: {
                  role: 'assistant' as const,
                  content: calls.size > 0 && content === '' ? null : content,
                  refusal,
                  ...(reasoning !== null && { reasoning_content: reasoning }),
                  ...(calls.size > 0 && { tool_calls: [...calls].sort(([a], [b]) => a - b).map(([, call]) => call) }),
                },
                logprobs: null,
                finish_reason: finish,
              },
            ],
      );
      if (whole.length < folded.length) return undefined;
      return { id: head.id, object: 'chat.completion', created: head.created, model: head.model, choices: whole };
    },
  };
}
