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

  test('an update sets, adds and removes at once, touches nothing else and returns what is there now', async () => {
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

  test('an update shifts attributes by what they held before it, and makes empty what had nothing before it', async () => {
    const { database, table } = current();
    const { key, read } = await stored({ first: 'a', second: 'b' });
    await database.write({ table, update: key, set: { first: 'c' }, copy: { second: 'first', third: 'second', fifth: 'fourth' } });
    expect(await read()).toEqual({ ...key, first: 'c', second: 'a', third: 'b', fifth: '' });
  });

  test('an update creates the item that is not there', async () => {
    const { database, table } = current();
    const { key, read } = await stored();
    expect(await database.write({ table, update: key, add: { count: 1 } })).toEqual({ ...key, count: 1 });
    expect(await read()).toEqual({ ...key, count: 1 });
  });

  test('an update leaves alone what its set says is undefined', async () => {
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
  const cases: [string, Record<string, unknown> | undefined, Condition, boolean][] = [
    ['exists, and it does', item, { exists: true }, true],
    ['exists, but it does not', undefined, { exists: true }, false],
    ['absent, and it is', undefined, { exists: false }, true],
    ['absent, but it is there', item, { exists: false }, false],
    ['equal text', item, { equals: { name: 'a' } }, true],
    ['other text', item, { equals: { name: 'A' } }, false],
    ['equal number', item, { equals: { count: 5 } }, true],
    ['a number as text', item, { equals: { count: '5' } }, false],
    ['equal boolean', item, { equals: { flag: false } }, true],
    ['equal null', item, { equals: { nothing: null } }, true],
    ['null for an absent attribute', item, { equals: { absent: null } }, false],
    ['equal structure', item, { equals: { list: [1, { x: 'y' }] } }, true],
    ['another structure', item, { equals: { list: [1, { x: 'z' }] } }, false],
    ['equal bytes', item, { equals: { bytes: new Uint8Array([1, 2, 3]) } }, true],
    ['equality where nothing is', undefined, { equals: { name: 'a' } }, false],
    ['all equalities but one', item, { equals: { name: 'a', count: 6 } }, false],
    ['below a larger number', item, { below: { count: 6 } }, true],
    ['below the same number', item, { below: { count: 5 } }, false],
    ['below ten, compared as a number', item, { below: { count: 10 } }, true],
    ['below, where the number is absent', item, { below: { absent: 0 } }, true],
    ['below, where nothing is', undefined, { below: { count: 0 } }, true],
    ['below, where text is', item, { below: { name: 9 } }, false],
    ['everything together', item, { exists: true, equals: { name: 'a', flag: false }, below: { count: 6 } }, true],
    ['everything together but the number', item, { exists: true, equals: { name: 'a' }, below: { count: 1 } }, false],
  ];
  test.each(cases)('a condition (%s) decides a put, an update, a delete and a check alike', async (_what, before, condition, holds) => {
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
  });

  test('a failed condition throws what its write said it means', async () => {
    const { database, table } = current();
    const { key } = await stored({ a: 1 });
    const taken = database.write({ table, put: key, if: { exists: false }, orElse: () => new NameTaken() });
    await expect(taken).rejects.toBeInstanceOf(NameTaken);
  });

  test('a condition is tested against what was there, not what is written', async () => {
    const { database, table } = current();
    const { key } = await stored({ version: 1 });
    const after = await database.write({ table, update: key, set: { version: 2 }, if: { equals: { version: 1 } } });
    expect(after?.version).toBe(2);
    await expect(database.write({ table, update: key, set: { version: 2 }, if: { equals: { version: 1 } } })).rejects.toBeInstanceOf(
      ConditionFailed,
    );
  });

  test('a number is not added to text', async () => {
    const { database, table } = current();
    const { key, read } = await stored({ name: 'a' });
    await expect(database.write({ table, update: key, add: { name: 1 } })).rejects.toThrow();
    expect(await read()).toEqual({ ...key, name: 'a' });
  });

  test('of two hundred additions at once none is lost, and each sees its own number', async () => {
    const { database, table } = current();
    const { key, read } = await stored();
    const results = await Promise.all(Array.from({ length: 200 }, () => database.write({ table, update: key, add: { n: 1 } })));
    expect((await read())?.n).toBe(200);
    expect(new Set(results.map((result) => result?.n)).size).toBe(200);
  });

  test('of fifty conditional puts at once exactly one wins', async () => {
    const { database, table } = current();
    const { key, read } = await stored();
    const results = await Promise.allSettled(
      Array.from({ length: 50 }, (_, by) => database.write({ table, put: { ...key, by }, if: { exists: false } })),
    );
    const winners = results.flatMap((result, by) => (result.status === 'fulfilled' ? [by] : []));
    expect(winners).toEqual([(await read())?.by]);
  });
}
