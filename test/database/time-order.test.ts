import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Database, Item } from '../../lib/platform/database/database.ts';
import { type InTimeOrder, readNewestFirst, readOldestFirst } from '../../lib/platform/database/time-order.ts';
import { type ContractStore, freshPk, openContractStore } from './contract-store.ts';

let store: ContractStore;
beforeAll(async () => {
  store = await openContractStore();
});
afterAll(() => store.close());

const EVERYTHING = { from: '0', to: '9' };
const skAt = (n: number) => String(n).padStart(6, '0');

/** Stores items that are numbered in the order of their times. `partitionOf` spreads them over four partitions. */
async function seed(count: number, partitionOf: (n: number) => number) {
  const pks = Array.from({ length: 4 }, freshPk);
  const items = Array.from({ length: count }, (_, n) => ({ pk: pks[partitionOf(n)] ?? '', sk: skAt(n), third: n % 3 === 0 }));
  for (let from = 0; from < count; from += 100) {
    await store.database.transact(items.slice(from, from + 100).map((put) => ({ table: store.table, put })));
  }
  return pks;
}

async function collect(query: Omit<InTimeOrder, 'between' | 'firstPage'> & Partial<InTimeOrder>, database: Database = store.database) {
  const items: Item[] = [];
  const batches = readNewestFirst(database, store.table, { between: EVERYTHING, firstPage: 10, ...query });
  for await (const batch of batches) {
    items.push(...batch.items);
  }
  return items.map(({ sk }) => Number(sk));
}
const descending = (count: number) => Array.from({ length: count }, (_, n) => count - 1 - n);

test.each([
  { spread: 'evenly', partitionOf: (n: number) => n % 4 },
  { spread: 'in blocks', partitionOf: (n: number) => Math.floor(n / 100) % 4 },
  { spread: 'into one', partitionOf: () => 2 },
])('items that are spread $spread over their partitions are returned newest first, each once', async ({ partitionOf }) => {
  const pks = await seed(500, partitionOf);
  expect(await collect({ pks })).toEqual(descending(500));
});

test('items outside the range are not returned, and a cursor continues right behind its item', async () => {
  const pks = await seed(100, (n) => (n * 7) % 4);
  expect(await collect({ pks, between: { from: skAt(20), to: skAt(29) } })).toEqual(descending(30).slice(0, 10));
  expect(await collect({ pks, behind: skAt(60) })).toEqual(descending(60));
  expect(await collect({ pks, behind: skAt(60), between: { from: skAt(70), to: skAt(90) } })).toEqual([]);
});

test('the oldest first: each item once, and a cursor continues right behind its item', async () => {
  for (const partitionOf of [(n: number) => n % 4, (n: number) => Math.floor(n / 100) % 4]) {
    const pks = await seed(400, partitionOf);
    const items: number[] = [];
    for await (const batch of readOldestFirst(store.database, store.table, { pks, between: EVERYTHING, behind: skAt(99), firstPage: 10 })) {
      items.push(...batch.items.map(({ sk }) => Number(sk)));
    }
    expect(items).toEqual(Array.from({ length: 300 }, (_, n) => 100 + n));
  }
});

test('a filter does not change the order of items', async () => {
  const pks = await seed(200, (n) => (n * 3) % 4);
  expect(await collect({ pks, filter: { equals: { third: true } } })).toEqual(descending(200).filter((n) => n % 3 === 0));
});

test('a reader that stops after the first batch has read only the first pages', async () => {
  const pks = await seed(2_000, (n) => n % 4);
  let read = 0;
  const limited: Database = {
    ...store.database,
    async query(table, options) {
      read += options.limit ?? 0;
      return store.database.query(table, options);
    },
  };
  const batches = readNewestFirst(limited, store.table, { pks, between: EVERYTHING, firstPage: 30 });
  const { value } = await batches.next();
  await batches.return();
  expect(value?.items.map(({ sk }) => Number(sk)).slice(0, 100)).toEqual(descending(2_000).slice(0, 100));
  expect(read).toBe(120);
});

test('a list of thousands of partitions is read with a bounded number of queries at once', async () => {
  const pks = Array.from({ length: 2_000 }, freshPk);
  let running = 0;
  let most = 0;
  const database: Database = {
    ...store.database,
    async query(table, options) {
      most = Math.max(most, ++running);
      return store.database.query(table, options).finally(() => running--);
    },
  };
  await store.database.transact([{ table: store.table, put: { pk: pks[1_234] ?? '', sk: skAt(7) } }]);
  expect(await collect({ pks }, database)).toEqual([7]);
  expect(most).toBeLessThan(100);
});
