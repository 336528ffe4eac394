import type { Database, Filter, Item } from './database.ts';

/**
 * A query of a list whose sort keys rise with time. Such a list has several partitions, so that no single one takes all its writes. They
 * are read side by side, and their items returned in one order, newest first.
 */
export interface NewestFirst {
  pks: readonly string[];
  /** Sort keys in this range, both ends included. */
  between: { from: string; to: string };
  /** The list continues behind this sort key. */
  before?: string | undefined;
  filter?: Filter | undefined;
  fields?: readonly string[];
  /** The number of items first read from each partition; later pages are larger. */
  firstPage: number;
}

export interface NewestBatch {
  items: Item[];
  /** Every item down to this sort key has been returned; absent in the last batch. */
  reached?: string;
  /** How many items the store read for this batch. */
  read: number;
}

/** A page is decoded without a pause; this many items take a few milliseconds. */
const LARGEST_PAGE = 500;

interface Stream {
  pk: string;
  waiting: Item[];
  next: string | undefined;
  done: boolean;
}

export async function* readNewestFirst(database: Database, table: string, query: NewestFirst): AsyncGenerator<NewestBatch, void> {
  const { pks, between, before, filter, fields } = query;
  const { from } = between;
  const to = before !== undefined && before < between.to ? before : between.to;
  if (from > to) return;
  const streams = pks.map((pk): Stream => ({ pk, waiting: [], next: undefined, done: false }));
  let limit = Math.min(LARGEST_PAGE, query.firstPage);

  async function refill(stream: Stream): Promise<number> {
    const page = await database.query(table, {
      pk: stream.pk,
      between: { from, to },
      descending: true,
      limit,
      ...(filter && { filter }),
      ...(fields && { fields }),
      ...(stream.next !== undefined && { after: stream.next }),
    });
    stream.waiting.push(...page.items.filter(({ sk }) => sk !== before));
    stream.next = page.next;
    stream.done = page.next === undefined;
    return page.read ?? page.items.length;
  }

  for (let due = streams; due.length > 0; due = laggingStreams(streams)) {
    const read = (await Promise.all(due.map(refill))).reduce((sum, count) => sum + count, 0);
    limit = Math.min(LARGEST_PAGE, limit * 2);
    const reached = laggingStreams(streams)[0]?.next;
    const items = streams.flatMap((stream) => takeDownTo(stream, reached)).sort((a, b) => (a.sk < b.sk ? 1 : -1));
    yield { items, read, ...(reached !== undefined && { reached }) };
  }
}

/** The unfinished streams that are furthest behind, a quarter of all at most: the others wait for them. */
function laggingStreams(streams: readonly Stream[]): Stream[] {
  const unfinished = streams.filter(({ done }) => !done).sort((a, b) => ((a.next ?? '') < (b.next ?? '') ? 1 : -1));
  return unfinished.slice(0, Math.ceil(streams.length / 4));
}

function takeDownTo(stream: Stream, reached: string | undefined): Item[] {
  const after = reached === undefined ? -1 : stream.waiting.findIndex(({ sk }) => sk < reached);
  return stream.waiting.splice(0, after < 0 ? stream.waiting.length : after);
}
