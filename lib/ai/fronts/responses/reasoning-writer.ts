import type { ReasoningDetail } from '../../wire/chat.ts';
import type { OutputEvents } from './output-events.ts';
import { reasoningItem } from './response-items.ts';
import { itemId } from './response-object.ts';

export interface ReasoningWriter {
  add(text: string): void;
  /** Signed reasoning, which goes out with the end of the item. */
  addDetails(details: readonly ReasoningDetail[]): void;
  close(): void;
}

/** Begins an item of reasoning. A model's reasoning is its summary, because clients show summaries only. */
export function beginReasoning(output: OutputEvents, nowMs: number): ReasoningWriter {
  const id = itemId('rs', nowMs);
  const details: ReasoningDetail[] = [];
  const place = output.begin(reasoningItem(id, '', [], 'in_progress'));
  const where = { item_id: id, output_index: place, summary_index: 0 };
  const part = (text: string) => ({ type: 'summary_text', text });
  let text = '';
  return {
    add(more) {
      if (text === '') output.emit('response.reasoning_summary_part.added', { ...where, part: part('') });
      text += more;
      output.emit('response.reasoning_summary_text.delta', { ...where, delta: more });
    },
    addDetails: (more) => void details.push(...more),
    close() {
      if (text !== '') {
        output.emit('response.reasoning_summary_text.done', { ...where, text });
        output.emit('response.reasoning_summary_part.done', { ...where, part: part(text) });
      }
      output.end(place, reasoningItem(id, text, details, 'completed'));
    },
  };
}
