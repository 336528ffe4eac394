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
export const ANSWER_BYTES = 5 * 1024 * 1024;
const bytesOnTheWire = (value: unknown): number => Buffer.byteLength(JSON.stringify(JSON.stringify(value)));

/** No answer has more items than this; far fewer where they are large. */
export const LONGEST_PAGE = 10_000;

/** Which part of a list is asked for. */
export interface PageRequest {
  limit?: number | undefined;
  /** Goes on behind this place. */
  cursor?: string | undefined;
}

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

/** One page of a list that is read a batch at a time; `parse` makes of each item what its reader sees. */
export async function readPage<S, T>(
  batches: AsyncIterable<readonly { place: string; item: S }[]>,
  { limit = LONGEST_PAGE }: PageRequest,
  parse: (item: S) => T,
): Promise<ListPage<T>> {
  const page = collectPage<T>(limit);
  let last: string | undefined;
  for await (const batch of batches) {
    for (const { place, item } of batch) {
      if (!page.add(parse(item))) return { items: page.items, ...(last !== undefined && { next: last }) };
      last = place;
    }
  }
  return { items: page.items };
}

/** Sorts what has a time of its own, oldest first. */
export const oldestFirst = <T extends { created_at: string; id: string }>({ items, ...rest }: ListPage<T>): ListPage<T> => ({
  ...rest,
  items: items.toSorted((a, b) => compare(a.created_at, b.created_at) || compare(a.id, b.id)),
});

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
