import { expect, test } from '@jest/globals';
import { type Item, queryAll, queryPages } from '../../lib/platform/database/database.ts';
import { type ContractStore, freshPk } from './contract-store.ts';

const skOf = (item: Item) => item.sk;
const numbered = (pk: string, count: number, more: Record<string, unknown> = {}): Item[] =>
  Array.from({ length: count }, (_, n) => ({ pk, sk: `ITEM#${String(n).padStart(4, '0')}`, n, ...more }));

export function readsContract(current: () => ContractStore): void {
  const seed = async (items: readonly Item[]) => {
    const { database, table } = current();
    for (let start = 0; start < items.length; start += 100) {
      await database.transact(items.slice(start, start + 100).map((put) => ({ table, put })));
    }
  };

  test('a read sees the write that was acknowledged before it', async () => {
    const { database, table } = current();
    const pk = freshPk();
    for (let round = 0; round < 20; round++) {
      await database.write({ table, put: { pk, sk: 'A', round } });
      expect(await database.get(table, { pk, sk: 'A' })).toEqual({ pk, sk: 'A', round });
    }
  });

  test('a read of several items as of one moment returns them in the order of the keys, and undefined for a missing item', async () => {
    const { database, table } = current();
    const [first, second] = [freshPk(), freshPk()];
    await seed([
      { pk: first, sk: 'A', n: 1 },
      { pk: second, sk: 'A', n: 2 },
    ]);
    const keys = [second, freshPk(), first].map((pk) => ({ pk, sk: 'A' }));
    expect(await database.transactGet(table, keys)).toEqual([{ pk: second, sk: 'A', n: 2 }, undefined, { pk: first, sk: 'A', n: 1 }]);
  });

  test('a read of something that is not stored returns nothing and is no error', async () => {
    const { database, table } = current();
    expect(await database.get(table, { pk: freshPk(), sk: 'A' })).toBeUndefined();
    expect(await database.query(table, { pk: freshPk() })).toEqual({ items: [] });
    expect(await database.count(table, freshPk())).toBe(0);
    expect(await database.batchGet(table, [])).toEqual([]);
  });

  test('reads at the same time each get their own answer, and a refused one fails alone', async () => {
    const { database, table } = current();
    const pk = freshPk();
    await seed(numbered(pk, 3));
    const sks = ['ITEM#0000', 'ITEM#0001', 'NONE', 'x'.repeat(1_025), 'ITEM#0001'];
    const answers = await Promise.allSettled(sks.map((sk) => database.get(table, { pk, sk })));
    expect(answers.map((answer) => (answer.status === 'fulfilled' ? answer.value?.n : 'refused'))).toEqual([0, 1, undefined, 'refused', 1]);
  });

  test('a batch reads more keys than one call of the engine takes, and leaves out missing items', async () => {
    const { database, table } = current();
    const pk = freshPk();
    const items = numbered(pk, 230);
    await seed(items);
    const keys = items.flatMap(({ sk }) => [
      { pk, sk },
      { pk, sk: `${sk}-missing` },
    ]);
    const found = await database.batchGet(table, keys);
    expect(found.map(skOf).sort()).toEqual(items.map(skOf));
  });

  test('a batch that names a key twice returns its item once', async () => {
    const { database, table } = current();
    const pk = freshPk();
    await seed(numbered(pk, 1));
    const key = { pk, sk: 'ITEM#0000' };
    expect(await database.batchGet(table, [key, { ...key }])).toHaveLength(1);
  });

  test('a batch that is larger than one answer of the engine (16 MB) is returned whole', async () => {
    const { database, table } = current();
    const pk = freshPk();
    const items = numbered(pk, 60, { text: 'x'.repeat(300_000) });
    for (const put of items) await database.write({ table, put });
    const found = await database.batchGet(
      table,
      items.map(({ sk }) => ({ pk, sk })),
    );
    expect(found).toHaveLength(60);
  }, 60_000);

  test('a query returns one partition in the order of its sort keys', async () => {
    const { database, table } = current();
    const pk = freshPk();
    await seed(['B', 'C', 'A'].map((sk) => ({ pk, sk })));
    await seed([{ pk: `${pk}-other`, sk: 'A' }]);
    expect((await database.query(table, { pk })).items.map(skOf)).toEqual(['A', 'B', 'C']);
    expect((await database.query(table, { pk, descending: true })).items.map(skOf)).toEqual(['C', 'B', 'A']);
  });

  test('sort keys are ordered by their bytes in UTF-8, not by language or UTF-16', async () => {
    const { database, table } = current();
    const pk = freshPk();
    const ordered = ['A', 'Z', 'a', 'z', 'é', 'ÿ', 'ਅ', '\uFFFD', '😀'];
    await seed(ordered.toReversed().map((sk) => ({ pk, sk })));
    expect((await database.query(table, { pk })).items.map(skOf)).toEqual(ordered);
  });

  test('a prefix selects the sort keys that begin with it, in either direction', async () => {
    const { database, table } = current();
    const pk = freshPk();
    await seed(['LABEL', 'LABEL#a', 'LABEL#b', 'LABELS', 'TARGET#a'].map((sk) => ({ pk, sk })));
    expect((await database.query(table, { pk, prefix: 'LABEL#' })).items.map(skOf)).toEqual(['LABEL#a', 'LABEL#b']);
    expect((await database.query(table, { pk, prefix: 'LABEL#', descending: true })).items.map(skOf)).toEqual(['LABEL#b', 'LABEL#a']);
    expect((await database.query(table, { pk, prefix: '%' })).items).toEqual([]);
    expect((await database.query(table, { pk, prefix: 'LABEL_' })).items).toEqual([]);
  });

  test('an empty prefix selects all sort keys, and a page that starts outside its prefix is refused', async () => {
    const { database, table } = current();
    const pk = freshPk();
    await seed(['A#1', 'B#1'].map((sk) => ({ pk, sk })));
    expect((await database.query(table, { pk, prefix: '' })).items.map(skOf)).toEqual(['A#1', 'B#1']);
    await expect(database.query(table, { pk, prefix: 'B#', after: 'A#1' })).rejects.toThrow();
  });

  test.each([
    { direction: 'ascending', descending: false },
    { direction: 'descending', descending: true },
  ])('pages in $direction order that continue at the last key return each item once', async ({ descending }) => {
    const { database, table } = current();
    const pk = freshPk();
    const items = numbered(pk, 25);
    await seed([...items, { pk, sk: 'A' }, { pk, sk: 'Z' }]);
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await database.query(table, { pk, prefix: 'ITEM#', limit: 10, descending, ...(after && { after }) });
      expect(page.items.length).toBeLessThanOrEqual(10);
      seen.push(...page.items.map(skOf));
      after = page.next;
    } while (after !== undefined);
    expect(seen).toEqual(descending ? items.map(skOf).reverse() : items.map(skOf));
  });

  test('a page continues after a key that was deleted meanwhile', async () => {
    const { database, table } = current();
    const pk = freshPk();
    await seed(numbered(pk, 6));
    const page = await database.query(table, { pk, limit: 3 });
    await database.write({ table, delete: { pk, sk: page.next ?? '' } });
    const rest = await database.query(table, { pk, ...(page.next && { after: page.next }) });
    expect(rest.items.map(skOf)).toEqual(['ITEM#0003', 'ITEM#0004', 'ITEM#0005']);
  });

  test('a long query comes in pages that are small enough to let others in between, up to its limit', async () => {
    const { database, table } = current();
    const pk = freshPk();
    await seed(numbered(pk, 620));
    const sizes: number[] = [];
    for await (const page of queryPages(database, table, { pk, limit: 610 })) sizes.push(page.length);
    expect(sizes).toEqual([500, 110]);
  });

  test('a query of more than a megabyte returns pages, and queryAll joins them up to its limit', async () => {
    const { database, table } = current();
    const pk = freshPk();
    const items = numbered(pk, 25, { text: 'x'.repeat(100_000) });
    for (const put of items) await database.write({ table, put });
    const first = await database.query(table, { pk });
    expect(first.items.length).toBeLessThan(25);
    expect(first.next).toBe(first.items.at(-1)?.sk);
    expect((await queryAll(database, table, { pk, limit: 100 })).map(skOf)).toEqual(items.map(skOf));
    expect(await queryAll(database, table, { pk, limit: 17 })).toHaveLength(17);
    expect(await database.count(table, pk)).toBe(25);
  });

  test('a projection returns the keys and the fields asked for, even with reserved words and odd names', async () => {
    const { database, table } = current();
    const pk = freshPk();
    await seed([{ pk, sk: 'A', status: 'on', 'odd.name-x': 1, data: { deep: true }, left: 'out' }]);
    const { items } = await database.query(table, { pk, fields: ['status', 'odd.name-x', 'data', 'absent'] });
    expect(items).toEqual([{ pk, sk: 'A', status: 'on', 'odd.name-x': 1, data: { deep: true } }]);
  });

  test('attribute names that differ only in punctuation are kept apart', async () => {
    const { database, table } = current();
    const pk = freshPk();
    await seed([{ pk, sk: 'A', 'a.b': 1, 'a-b': 2, a_b: 3 }]);
    expect((await database.query(table, { pk, fields: ['a.b', 'a-b'] })).items).toEqual([{ pk, sk: 'A', 'a.b': 1, 'a-b': 2 }]);
    await database.write({ table, update: { pk, sk: 'A' }, set: { 'a.b': 10, 'a-b': 20 }, if: { equals: { a_b: 3, 'a-b': 2 } } });
    expect(await database.get(table, { pk, sk: 'A' })).toEqual({ pk, sk: 'A', 'a.b': 10, 'a-b': 20, a_b: 3 });
  });

  test('a range selects the sort keys between its ends, both included, page by page in either direction', async () => {
    const { database, table } = current();
    const pk = freshPk();
    await seed(numbered(pk, 10));
    const between = { from: 'ITEM#0002', to: 'ITEM#0006#' };
    expect((await database.query(table, { pk, between })).items.map(({ n }) => n)).toEqual([2, 3, 4, 5, 6]);
    const first = await database.query(table, { pk, between, descending: true, limit: 3 });
    const rest = await database.query(table, { pk, between, descending: true, ...(first.next && { after: first.next }) });
    expect([...first.items, ...rest.items].map(({ n }) => n)).toEqual([6, 5, 4, 3, 2]);
  });

  test('a filter returns only matching items, and the page has the number of items read', async () => {
    const { database, table } = current();
    const pk = freshPk();
    await seed([
      { pk, sk: '1', action: 'stack.created', actor: 'a' },
      { pk, sk: '2', action: 'stack.deleted', actor: 'b' },
      { pk, sk: '3', action: 'agent.created', actor: 'a' },
      { pk, sk: '4', action: 'stack.created', actor: 'a' },
    ]);
    const filter = { equals: { actor: 'a' }, beginsWith: { action: 'stack.' } };
    const page = await database.query(table, { pk, filter, limit: 3, fields: ['actor'] });
    expect(page).toEqual({ items: [{ pk, sk: '1', actor: 'a' }], next: '3', read: 3 });
    expect((await database.query(table, { pk, filter, after: '3' })).items.map(skOf)).toEqual(['4']);
  });
}
