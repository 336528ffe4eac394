import type { OutputItem } from './response-object.ts';

export type Emit = (type: string, members: Record<string, unknown>) => void;

/** The output of a streamed response: an item begins with an `added` event, which gives it its place, and ends with a `done` event. */
export interface OutputEvents {
  emit: Emit;
  begin(item: OutputItem): number;
  end(place: number, item: OutputItem): void;
  /** The items that have ended, in the order in which they began. */
  items(): readonly OutputItem[];
}

export function createOutputEvents(emit: Emit): OutputEvents {
  const ended: (OutputItem | undefined)[] = [];
  return {
    emit,
    begin(item) {
      const place = ended.push(undefined) - 1;
      emit('response.output_item.added', { output_index: place, item });
      return place;
    },
    end(place, item) {
      ended[place] = item;
      emit('response.output_item.done', { output_index: place, item });
    },
    items: () => ended.filter((item) => item !== undefined),
  };
}
