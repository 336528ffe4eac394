import type { Database, Item, Key } from './database.ts';

/** A page is decoded without a pause; this many items take about two milliseconds. */
const ITEMS_READ_AT_ONCE = 200;

/** An item of a list with its place in the list: its sort key without the list's prefix. */
export interface Placed {
  place: string;
  item: Item;
}

export interface KeyOrder {
  /** The list's partitions, in the order of the sort keys that they contain. */
  pks: readonly string[];
  prefix?: string;
  /** The list continues behind this place. */
  after?: string | undefined;
  fields?: readonly string[];
}

/** Reads a list in the order of its sort keys, some hundred items at a time. A short list takes one query. */
export async function* readInKeyOrder(
  database: Database,
  table: string,
  { pks, prefix = '', after, fields }: KeyOrder,
): AsyncGenerator<Placed[]> {
  for (const pk of pks) {
    let from = after === undefined ? undefined : prefix + after;
    do {
      const page = await database.query(table, {
        pk,
        limit: ITEMS_READ_AT_ONCE,
        ...(prefix && { prefix }),
        ...(from !== undefined && { after: from }),
        ...(fields && { fields }),
      });
      yield page.items.map((item) => ({ place: item.sk.slice(prefix.length), item }));
      from = page.next;
    } while (from !== undefined);
  }
}

/** Reads the items that a list of edges points to, each at its edge's place. An edge whose item is gone is left out. */
export async function* followEdges(
  database: Database,
  table: string,
  edges: AsyncIterable<Placed[]>,
  keyOf: (edge: Item) => Key,
): AsyncGenerator<Placed[]> {
  for await (const batch of edges) {
    const items = await database.batchGet(
      table,
      batch.map(({ item }) => keyOf(item)),
    );
    const bySk = new Map(items.map((item) => [item.sk, item]));
    yield batch.flatMap(({ place, item: edge }) => {
      const item = bySk.get(keyOf(edge).sk);
      return item ? [{ place, item }] : [];
    });
  }
}
