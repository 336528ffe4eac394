/** The few operations on DynamoDB that the product uses. Keys are built in the `*-table.ts` pages, nowhere else. */
export interface Key {
  pk: string;
  sk: string;
}
export type Item = Record<string, unknown> & Key;

/** All parts must hold. */
export interface Condition {
  exists?: boolean;
  equals?: Record<string, unknown>;
  /** The stored number is smaller than this, or there is none. */
  below?: Record<string, number | bigint>;
  /** The stored number is this or larger. */
  atLeast?: Record<string, number | bigint>;
}

interface WriteBase {
  table: string;
  if?: Condition;
  /** Makes the error to throw if this write's condition fails; ConditionFailed if absent. */
  orElse?: () => Error;
}
export type Write = WriteBase &
  (
    | { put: Item }
    | {
        update: Key;
        set?: Record<string, unknown>;
        /** Each attribute becomes the text that the other one holds before this write; empty if it holds none. */
        copy?: Record<string, string>;
        add?: Record<string, number | bigint>;
        remove?: readonly string[];
      }
    | { delete: Key }
    | { check: Key }
  );

/** One item for a table. */
export interface Put {
  table: string;
  put: Item;
}

export interface Page {
  items: Item[];
  /** Continue after this sort key; absent on the last page. */
  next?: string;
  /** How many items the store read for this page; present if the query has a filter. */
  read?: number;
}

/** All parts must hold. The store reads (and charges) what doesn't match, but sends only what does. */
export interface Filter {
  equals?: Record<string, unknown>;
  beginsWith?: Record<string, string>;
}

export interface QueryOptions {
  pk: string;
  /** Only sort keys that begin with this; all of them if empty. */
  prefix?: string;
  /** Only sort keys in this range, both ends included. Not together with `prefix`. */
  between?: { from: string; to: string };
  filter?: Filter;
  /** Only sort keys after this one, or before it if `descending`. It must begin with `prefix` itself. */
  after?: string;
  descending?: boolean;
  /** At most this many items are read for this page. */
  limit?: number;
  /** Returns only these attributes. */
  fields?: readonly string[];
}

/** Reads are strongly consistent: as soon as a write is answered, every request sees it. */
export interface Database {
  get(table: string, key: Key): Promise<Item | undefined>;
  /** Returns the items in no order; missing keys are left out. Takes any number of keys. */
  batchGet(table: string, keys: readonly Key[]): Promise<Item[]>;
  /** Reads at most 100 keys as of one moment, in their order, at twice the cost. A conflict with a transaction is retried. */
  transactGet(table: string, keys: readonly Key[]): Promise<(Item | undefined)[]>;
  query(table: string, options: QueryOptions): Promise<Page>;
  count(table: string, pk: string): Promise<number>;
  /** Makes one write, conditional or not. An update returns the item as it is afterwards. */
  write(write: Write): Promise<Item | undefined>;
  /**
   * Puts any number of items, each for itself, at half the price of a transaction. Of two with one key the last is stored. Nothing tells which
   * items were stored if it fails: put all of them again.
   */
  putAll(puts: readonly Put[]): Promise<void>;
  /** Makes all of at most 100 writes, or none. A conflict with another transaction is retried, a failed condition is not. */
  transact(writes: readonly Write[]): Promise<void>;
}

/** A write's condition didn't hold; nothing of its transaction was stored. */
export class ConditionFailed extends Error {
  override name = 'ConditionFailed';
  readonly key: Key;
  constructor(key: Key) {
    super(`condition failed on ${key.pk} / ${key.sk}`);
    this.key = key;
  }
}

export const keyOf = (write: Write): Key => {
  if ('put' in write) return { pk: write.put.pk, sk: write.put.sk };
  if ('update' in write) return write.update;
  return 'delete' in write ? write.delete : write.check;
};

/** The items of one page are decoded in one turn of the event loop, so a page is small enough to let other requests in between. */
const PAGE_ITEMS = 500;

/** Reads the pages of a query, up to `limit` items, so that a long list is worked on in slices. */
export async function* queryPages(database: Database, table: string, options: QueryOptions & { limit: number }): AsyncGenerator<Item[]> {
  let left = options.limit;
  let after = options.after;
  do {
    const limit = Math.min(PAGE_ITEMS, left);
    const page = await database.query(table, { ...options, ...(after !== undefined && { after }), limit });
    yield page.items;
    left -= page.items.length;
    after = page.next;
  } while (after !== undefined && left > 0);
}

/** Every item of a query, page by page, up to `limit`. */
export async function queryAll(database: Database, table: string, options: QueryOptions & { limit: number }): Promise<Item[]> {
  const items: Item[] = [];
  let after = options.after;
  do {
    const page = await database.query(table, { ...options, ...(after !== undefined && { after }), limit: options.limit - items.length });
    items.push(...page.items);
    after = page.next;
  } while (after !== undefined && items.length < options.limit);
  return items;
}
