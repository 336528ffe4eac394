import type { ReasoningDetail } from '../../wire/chat.ts';
import { beginFunctionCall, type CallWriter } from './call-writer.ts';
import { beginMessage, type MessageWriter } from './message-writer.ts';
import { createOutputEvents, type Emit } from './output-events.ts';
import { beginReasoning, type ReasoningWriter } from './reasoning-writer.ts';
import { imageItem } from './response-items.ts';
import { type ItemStatus, itemId, type OutputItem } from './response-object.ts';

export interface OutputWriter {
  reasoning(text: string): void;
  reasoningDetails(details: readonly ReasoningDetail[]): void;
  text(text: string, logprobs: readonly unknown[]): void;
  annotation(annotation: unknown): void;
  refusal(text: string): void;
  image(url: string): void;
  /** A part of the call with this index. The first one has the id and the name. */
  call(index: number, call: { id: string; name: string }, argumentsText: string): void;
  /** Ends everything that has begun. */
  close(status: ItemStatus): void;
  /** The items that have ended. */
  items(): readonly OutputItem[];
}

/** Writes the output of a streamed response. Every delta is between the `added` and the `done` of its item and its part. */
export function createOutputWriter(emit: Emit, nowMs: number): OutputWriter {
  const output = createOutputEvents(emit);
  // Calls stay open to the end, because providers may mix their parts.
  const calls = new Map<number, CallWriter>();
  let reasoning: ReasoningWriter | undefined;
  let message: MessageWriter | undefined;

  function inReasoning(): ReasoningWriter {
    closeMessage('completed');
    reasoning ??= beginReasoning(output, nowMs);
    return reasoning;
  }
  function inMessage(): MessageWriter {
    closeReasoning();
    message ??= beginMessage(output, nowMs);
    return message;
  }
  function closeReasoning(): void {
    reasoning?.close();
    reasoning = undefined;
  }
  function closeMessage(status: ItemStatus): void {
    message?.close(status);
    message = undefined;
  }
  function callAt(index: number, call: { id: string; name: string }): CallWriter {
    const known = calls.get(index);
    if (known) return known;
    closeReasoning();
    closeMessage('completed');
    const begun = beginFunctionCall(output, nowMs, call);
    calls.set(index, begun);
    return begun;
  }

  return {
    reasoning: (text) => inReasoning().add(text),
    reasoningDetails: (details) => inReasoning().addDetails(details),
    text: (text, logprobs) => inMessage().addText(text, logprobs),
    annotation: (annotation) => inMessage().addAnnotation(annotation),
    refusal: (text) => inMessage().addRefusal(text),
    image(url) {
      closeReasoning();
      closeMessage('completed');
      const id = itemId('ig', nowMs);
      output.end(output.begin(imageItem(id, '', 'in_progress')), imageItem(id, url, 'completed'));
    },
    call: (index, call, argumentsText) => callAt(index, call).add(argumentsText),
    close(status) {
      closeReasoning();
      closeMessage(status);
      for (const call of calls.values()) call.close(status);
      calls.clear();
    },
    items: output.items,
  };
}
