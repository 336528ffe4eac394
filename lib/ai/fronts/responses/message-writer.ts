import type { OutputEvents } from './output-events.ts';
import { type MessagePart, messageItem, refusalPart, textPart } from './response-items.ts';
import { type ItemStatus, itemId } from './response-object.ts';

export interface MessageWriter {
  addText(text: string, logprobs: readonly unknown[]): void;
  addAnnotation(annotation: unknown): void;
  addRefusal(text: string): void;
  close(status: ItemStatus): void;
}

/** Begins a message. Text and refusal are parts of it, one after the other. */
export function beginMessage(output: OutputEvents, nowMs: number): MessageWriter {
  const id = itemId('msg', nowMs);
  const parts: MessagePart[] = [];
  const place = output.begin(messageItem(id, [], 'in_progress'));
  const where = () => ({ item_id: id, output_index: place, content_index: parts.length - 1 });

  function closePart(): void {
    const part = parts.at(-1);
    if (!part) return;
    if ('refusal' in part) output.emit('response.refusal.done', { ...where(), refusal: part.refusal });
    else output.emit('response.output_text.done', { ...where(), text: part.text, logprobs: part.logprobs });
    output.emit('response.content_part.done', { ...where(), part });
  }

  function beginPart<Part extends MessagePart>(part: Part): Part {
    closePart();
    parts.push(part);
    output.emit('response.content_part.added', { ...where(), part });
    return part;
  }

  function textInWriting(): ReturnType<typeof textPart> {
    const last = parts.at(-1);
    return last && 'text' in last ? last : beginPart(textPart(''));
  }

  return {
    addText(text, logprobs) {
      const part = textInWriting();
      part.text += text;
      part.logprobs.push(...logprobs);
      output.emit('response.output_text.delta', { ...where(), delta: text, logprobs });
    },
    addAnnotation(annotation) {
      const { annotations } = textInWriting();
      const annotation_index = annotations.push(annotation) - 1;
      output.emit('response.output_text.annotation.added', { ...where(), annotation_index, annotation });
    },
    addRefusal(text) {
      const last = parts.at(-1);
      const part = last && 'refusal' in last ? last : beginPart(refusalPart(''));
      part.refusal += text;
      output.emit('response.refusal.delta', { ...where(), delta: text });
    },
    close(status) {
      closePart();
      output.end(place, messageItem(id, parts, status));
    },
  };
}
