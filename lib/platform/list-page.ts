/** A part of a list, small enough for one answer. */
export interface ListPage<T> {
  items: T[];
  /** The place behind which the list continues; absent on the last page. */
  next?: string;
}

/**
 * Lambda sends at most 6 MB, and wraps the answer's JSON in a JSON text of its own, in which every quote takes one byte more. The rest
 * is for headers.
 */
export const ANSWER_BYTES = 5 * 1024 * 1024;
const bytesOnTheWire = (value: unknown): number => Buffer.byteLength(JSON.stringify(JSON.stringify(value)));

/** No answer has more items than this; large items make it far fewer. */
export const LONGEST_PAGE = 10_000;

/** The part of a list that a caller asks for. */
export interface PageRequest {
  limit?: number | undefined;
  /** The page begins behind this place. */
  cursor?: string | undefined;
}

/** Collects one page: at most `limit` items, and no more than one answer can carry. */
export function collectPage<T>(limit: number, answerBytes = ANSWER_BYTES) {
  const items: T[] = [];
  let bytes = 0;
  return {
    items,
    /** Returns false if the page is full and the item does not fit. The first item always fits. */
    add(item: T): boolean {
      const size = bytesOnTheWire(item);
      if (items.length >= limit || (items.length > 0 && bytes + size > answerBytes)) return false;
      items.push(item);
      bytes += size;
      return true;
    },
  };
}

/** Reads one page of a list that comes in batches. `parse` turns each item into what the caller sees. */
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

/** The same page, sorted by time of creation. */
export const sortOldestFirst = <T extends { created_at: string; id: string }>({ items, ...rest }: ListPage<T>): ListPage<T> => ({
  ...rest,
  items: items.toSorted((a, b) => compare(a.created_at, b.created_at) || compare(a.id, b.id)),
});

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
