import { expect, test } from '@jest/globals';
import { type Condition, ConditionFailed, type Item } from '../../lib/platform/database/database.ts';
import { type ContractStore, freshPk } from './contract-store.ts';

class NameTaken extends Error {}

export function writesContract(current: () => ContractStore): void {
  const stored = async (item?: Record<string, unknown>) => {
    const { database, table } = current();
    const key = { pk: freshPk(), sk: 'A' };
    if (item) await database.write({ table, put: { ...key, ...item } });
    return { key, read: () => database.get(table, key) };
  };

  test('a put replaces the whole item', async () => {
    const { database, table } = current();
    const { key, read } = await stored({ a: 1, b: 2 });
    await database.write({ table, put: { ...key, b: 3 } });
    expect(await read()).toEqual({ ...key, b: 3 });
  });

  test('any number of items are put at once; of two with one key the last is stored', async () => {
    const { database, table } = current();
    const pk = freshPk();
    const puts = Array.from({ length: 60 }, (_, n) => ({ table, put: { pk, sk: String(n).padStart(3, '0'), n } }));
    await database.putAll([...puts, { table, put: { pk, sk: '000', n: 'again' } }]);
    const { items } = await database.query(table, { pk });
    expect(items.map(({ n }) => n)).toEqual(['again', ...Array.from({ length: 59 }, (_, n) => n + 1)]);
    await database.putAll([]);
  });

  test('an update sets, adds and removes at once, changes nothing else and returns the new item', async () => {
    const { database, table } = current();
    const { key, read } = await stored({ name: 'a', count: 1, gone: true, kept: { deep: [1] } });
    const after = await database.write({
      table,
      update: key,
      set: { name: 'b', size: 0 },
      add: { count: 2, total: -5 },
      remove: ['gone', 'never'],
    });
    expect(after).toEqual({ ...key, name: 'b', size: 0, count: 3, total: -5, kept: { deep: [1] } });
    expect(await read()).toEqual(after);
  });

  test('an update copies the attribute values from before the update, and an empty text for a missing one', async () => {
    const { database, table } = current();
    const { key, read } = await stored({ first: 'a', second: 'b' });
    await database.write({ table, update: key, set: { first: 'c' }, copy: { second: 'first', third: 'second', fifth: 'fourth' } });
    expect(await read()).toEqual({ ...key, first: 'c', second: 'a', third: 'b', fifth: '' });
  });

  test('an update creates a missing item', async () => {
    const { database, table } = current();
    const { key, read } = await stored();
    expect(await database.write({ table, update: key, add: { count: 1 } })).toEqual({ ...key, count: 1 });
    expect(await read()).toEqual({ ...key, count: 1 });
  });

  test('an update ignores an undefined member of its set', async () => {
    const { database, table } = current();
    const { key } = await stored({ name: 'a' });
    expect(await database.write({ table, update: key, set: { name: undefined, size: 1 } })).toEqual({ ...key, name: 'a', size: 1 });
  });

  test('a delete may be repeated', async () => {
    const { database, table } = current();
    const { key, read } = await stored({ a: 1 });
    await database.write({ table, delete: key });
    await database.write({ table, delete: key });
    expect(await read()).toBeUndefined();
  });

  const bytes = new Uint8Array([1, 2, 3]);
  const item = { name: 'a', count: 5, flag: false, nothing: null, list: [1, { x: 'y' }], bytes };
  const cases: { name: string; before?: Record<string, unknown>; condition: Condition; holds: boolean }[] = [
    { name: 'the item exists, and it does', before: item, condition: { exists: true }, holds: true },
    { name: 'the item exists, but it does not', condition: { exists: true }, holds: false },
    { name: 'the item is absent, and it is', condition: { exists: false }, holds: true },
    { name: 'the item is absent, but it exists', before: item, condition: { exists: false }, holds: false },
    { name: 'equal text', before: item, condition: { equals: { name: 'a' } }, holds: true },
    { name: 'other text', before: item, condition: { equals: { name: 'A' } }, holds: false },
    { name: 'equal number', before: item, condition: { equals: { count: 5 } }, holds: true },
    { name: 'a number as text', before: item, condition: { equals: { count: '5' } }, holds: false },
    { name: 'equal boolean', before: item, condition: { equals: { flag: false } }, holds: true },
    { name: 'equal null', before: item, condition: { equals: { nothing: null } }, holds: true },
    { name: 'null for an absent attribute', before: item, condition: { equals: { absent: null } }, holds: false },
    { name: 'equal structure', before: item, condition: { equals: { list: [1, { x: 'y' }] } }, holds: true },
    { name: 'another structure', before: item, condition: { equals: { list: [1, { x: 'z' }] } }, holds: false },
    { name: 'equal bytes', before: item, condition: { equals: { bytes: new Uint8Array([1, 2, 3]) } }, holds: true },
    { name: 'an equality without an item', condition: { equals: { name: 'a' } }, holds: false },
    { name: 'all equalities but one', before: item, condition: { equals: { name: 'a', count: 6 } }, holds: false },
    { name: 'below a larger number', before: item, condition: { below: { count: 6 } }, holds: true },
    { name: 'below the same number', before: item, condition: { below: { count: 5 } }, holds: false },
    { name: 'below ten, compared as a number', before: item, condition: { below: { count: 10 } }, holds: true },
    { name: 'below, without the attribute', before: item, condition: { below: { absent: 0 } }, holds: true },
    { name: 'below, without an item', condition: { below: { count: 0 } }, holds: true },
    { name: 'at least a smaller number', before: item, condition: { atLeast: { count: 4 } }, holds: true },
    { name: 'at least the same number', before: item, condition: { atLeast: { count: 5 } }, holds: true },
    { name: 'at least a larger number', before: item, condition: { atLeast: { count: 6 } }, holds: false },
    { name: 'at least, without the attribute', before: item, condition: { atLeast: { absent: 0 } }, holds: false },
    { name: 'below, on a text', before: item, condition: { below: { name: 9 } }, holds: false },
    {
      name: 'everything together',
      before: item,
      condition: { exists: true, equals: { name: 'a', flag: false }, below: { count: 6 } },
      holds: true,
    },
    {
      name: 'everything together but the number',
      before: item,
      condition: { exists: true, equals: { name: 'a' }, below: { count: 1 } },
      holds: false,
    },
  ];
  test.each(cases)(
    'a condition ($name) has the same result for a put, an update, a delete and a check',
    async ({ before, condition, holds }) => {
      const { database, table } = current();
      const attempt = async (write: (key: Item) => Promise<unknown>, changed: (key: Item) => unknown) => {
        const { key, read } = await stored(before);
        const outcome = write(key);
        if (holds) {
          await outcome;
          expect(await read()).toEqual(changed(key));
        } else {
          await expect(outcome).rejects.toEqual(new ConditionFailed(key));
          expect(await read()).toEqual(before && expect.objectContaining({ ...key, count: 5 }));
        }
      };
      await attempt(
        (key) => database.write({ table, put: { ...key, put: true }, if: condition }),
        (key) => ({ ...key, put: true }),
      );
      await attempt(
        (key) => database.write({ table, update: key, set: { set: true }, if: condition }),
        (key) => expect.objectContaining({ ...key, set: true }),
      );
      await attempt(
        (key) => database.write({ table, delete: key, if: condition }),
        () => undefined,
      );
      await attempt(
        (key) => database.transact([{ table, check: key, if: condition }]),
        (key) => before && expect.objectContaining({ ...key, count: 5 }),
      );
    },
  );

  test('a failed condition throws the error that its write names', async () => {
    const { database, table } = current();
    const { key } = await stored({ a: 1 });
    const taken = database.write({ table, put: key, if: { exists: false }, orElse: () => new NameTaken() });
    await expect(taken).rejects.toBeInstanceOf(NameTaken);
  });

  test('a condition is tested against the stored item, not the written one', async () => {
    const { database, table } = current();
    const { key } = await stored({ version: 1 });
    const after = await database.write({ table, update: key, set: { version: 2 }, if: { equals: { version: 1 } } });
    expect(after?.version).toBe(2);
    await expect(database.write({ table, update: key, set: { version: 2 }, if: { equals: { version: 1 } } })).rejects.toBeInstanceOf(
      ConditionFailed,
    );
  });

  test('adding a number to a text is refused', async () => {
    const { database, table } = current();
    const { key, read } = await stored({ name: 'a' });
    await expect(database.write({ table, update: key, add: { name: 1 } })).rejects.toThrow();
    expect(await read()).toEqual({ ...key, name: 'a' });
  });

  test('two hundred concurrent additions are all counted, and each returns its own number', async () => {
    const { database, table } = current();
    const { key, read } = await stored();
    const results = await Promise.all(Array.from({ length: 200 }, () => database.write({ table, update: key, add: { n: 1 } })));
    expect((await read())?.n).toBe(200);
    expect(new Set(results.map((result) => result?.n)).size).toBe(200);
  });

  test('exactly one of fifty concurrent conditional puts wins', async () => {
    const { database, table } = current();
    const { key, read } = await stored();
    const results = await Promise.allSettled(
      Array.from({ length: 50 }, (_, by) => database.write({ table, put: { ...key, by }, if: { exists: false } })),
    );
    const winners = results.flatMap((result, by) => (result.status === 'fulfilled' ? [by] : []));
    expect(winners).toEqual([(await read())?.by]);
  });
}
