import { eachBounded } from '../each-bounded.ts';
import type { Database, Filter, Item } from './database.ts';

/**
 * A query of a list whose sort keys rise with time. Such a list has several partitions, so that no single one takes all its writes. They
 * are read side by side, and their items returned in one order.
 */
export interface InTimeOrder {
  pks: readonly string[];
  /** Sort keys in this range, both ends included. */
  between: { from: string; to: string };
  /** The list continues behind this sort key. */
  behind?: string | undefined;
  filter?: Filter | undefined;
  fields?: readonly string[];
  /** The number of items first read from each partition; later pages are larger. */
  firstPage: number;
}

export interface TimeOrderBatch {
  items: Item[];
  /** Every item up to this sort key, in the list's order, has been returned; absent in the last batch. */
  reached?: string;
  /** How many items the store read for this batch. */
  read: number;
}

/** A page is decoded without a pause; this many items take a few milliseconds. */
const LARGEST_PAGE = 500;
/** A list may have thousands of partitions, such as the pending orders of an agent with many labels and generators. */
const QUERIES_AT_ONCE = 50;

interface Stream {
  pk: string;
  waiting: Item[];
  next: string | undefined;
  done: boolean;
}

export const readNewestFirst = (database: Database, table: string, query: InTimeOrder) => readMerged(database, table, query, true);
export const readOldestFirst = (database: Database, table: string, query: InTimeOrder) => readMerged(database, table, query, false);

async function* readMerged(
  database: Database,
  table: string,
  { pks, between, behind, filter, fields, firstPage }: InTimeOrder,
  descending: boolean,
): AsyncGenerator<TimeOrderBatch, void> {
  const precedes = (a: string, b: string) => (descending ? a > b : a < b);
  const { from, to } = rest(between, behind, descending);
  if (from > to) return;
  const streams = pks.map((pk): Stream => ({ pk, waiting: [], next: undefined, done: false }));
  let limit = Math.min(LARGEST_PAGE, firstPage);

  async function refill(stream: Stream): Promise<number> {
    const page = await database.query(table, {
      pk: stream.pk,
      between: { from, to },
      descending,
      limit,
      ...(filter && { filter }),
      ...(fields && { fields }),
      ...(stream.next !== undefined && { after: stream.next }),
    });
    stream.waiting.push(...page.items.filter(({ sk }) => sk !== behind));
    stream.next = page.next;
    stream.done = page.next === undefined;
    return page.read ?? page.items.length;
  }

  /** The unfinished streams that are furthest behind, a quarter of all at most: the others wait for them. */
  function laggingStreams(): Stream[] {
    const unfinished = streams.filter(({ done }) => !done).sort((a, b) => (precedes(a.next ?? '', b.next ?? '') ? -1 : 1));
    return unfinished.slice(0, Math.ceil(streams.length / 4));
  }

  function takeUpTo(stream: Stream, reached: string | undefined): Item[] {
    const after = reached === undefined ? -1 : stream.waiting.findIndex(({ sk }) => precedes(reached, sk));
    return stream.waiting.splice(0, after < 0 ? stream.waiting.length : after);
  }

  for (let due = streams; due.length > 0; due = laggingStreams()) {
    let read = 0;
    await eachBounded(due, QUERIES_AT_ONCE, async (stream) => {
      const count = await refill(stream);
      read += count;
    });
    limit = Math.min(LARGEST_PAGE, limit * 2);
    const reached = laggingStreams()[0]?.next;
    const items = streams.flatMap((stream) => takeUpTo(stream, reached)).sort((a, b) => (precedes(a.sk, b.sk) ? -1 : 1));
    yield { items, read, ...(reached !== undefined && { reached }) };
  }
}

/** The part of the range that lies behind a sort key. */
function rest({ from, to }: InTimeOrder['between'], behind: string | undefined, descending: boolean): InTimeOrder['between'] {
  if (behind === undefined) return { from, to };
  return descending ? { from, to: behind < to ? behind : to } : { from: behind > from ? behind : from, to };
}
