/** A part of a list, small enough for one answer. */
export interface ListPage<T> {
  items: T[];
  /** The place behind which the list goes on; absent if this is its end. */
  next?: string;
}

/**
 * Lambda answers with at most 6 MB, and puts the answer's JSON into a JSON text of its own, where every quote takes one byte more.
 * The rest is for headers.
 */
const ANSWER_BYTES = 5 * 1024 * 1024;
const bytesOnTheWire = (value: unknown): number => Buffer.byteLength(JSON.stringify(JSON.stringify(value)));

/** Collects one page: at most `limit` items, and no more than one answer can carry. */
export function collectPage<T>(limit: number, answerBytes = ANSWER_BYTES) {
  const items: T[] = [];
  let bytes = 0;
  return {
    items,
    /** False if the item does not fit any more: then the page is full. The first one always fits. */
    add(item: T): boolean {
      const size = bytesOnTheWire(item);
      if (items.length >= limit || (items.length > 0 && bytes + size > answerBytes)) return false;
      items.push(item);
      bytes += size;
      return true;
    },
  };
}
