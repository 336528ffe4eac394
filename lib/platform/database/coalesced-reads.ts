import type { Item, Key } from './database.ts';

export interface ReadPorts {
  one(table: string, key: Key): Promise<Item | undefined>;
  /** Returns the items in no order; missing keys are left out. */
  many(table: string, keys: readonly Key[]): Promise<Item[]>;
}

interface Waiting {
  key: Key;
  settle: { resolve(item: Item | undefined): void; reject(error: unknown): void }[];
}

const isRefusal = (error: unknown) => error instanceof Error && error.name === 'ValidationException';
const textOf = ({ pk, sk }: Key) => `${pk}\n${sk}`;

/**
 * Sends the reads of one turn of the event loop to the store as one batch. In a process that serves many agents this saves most of the
 * CPU of a call; a Lambda instance serves one request at a time and gains nothing. The capacity consumed is the same.
 */
export function coalesceReads({ one, many }: ReadPorts): (table: string, key: Key) => Promise<Item | undefined> {
  const waiting = new Map<string, Map<string, Waiting>>();

  function flush(table: string): void {
    const reads = [...(waiting.get(table)?.values() ?? [])];
    waiting.delete(table);
    const [first] = reads;
    if (!first) return;
    const found =
      reads.length === 1
        ? one(table, first.key).then((item) => (item ? [item] : []))
        : many(
            table,
            reads.map((read) => read.key),
          );
    found.then(
      (items) => {
        const byKey = new Map(items.map((item) => [textOf(item), item]));
        for (const { key, settle } of reads) for (const { resolve } of settle) resolve(byKey.get(textOf(key)));
      },
      (error) => {
        for (const { key, settle } of reads) {
          // The store refuses a whole batch for one bad key. Each key is then read alone, so that only its own caller gets the error.
          const alone = reads.length > 1 && isRefusal(error) ? one(table, key) : Promise.reject(error);
          for (const { resolve, reject } of settle) alone.then(resolve, reject);
        }
      },
    );
  }

  return (table, key) =>
    new Promise((resolve, reject) => {
      const reads = waiting.get(table) ?? new Map<string, Waiting>();
      if (reads.size === 0) {
        waiting.set(table, reads);
        setImmediate(() => flush(table));
      }
      const read = reads.get(textOf(key)) ?? { key, settle: [] };
      read.settle.push({ resolve, reject });
      reads.set(textOf(key), read);
    });
}
