import { expect, test } from '@jest/globals';
import type { Item } from '../../lib/platform/database/database.ts';
import { type ContractStore, freshPk } from './contract-store.ts';

const LARGEST_ITEM_BYTES = 400 * 1024;

/** An item of exactly this size, as DynamoDB counts it: names and values in UTF-8. */
function sizedItem(pk: string, bytes: number): Item {
  const frame = 'pk'.length + pk.length + 'sk'.length + 'A'.length + 'text'.length;
  return { pk, sk: 'A', text: 'x'.repeat(bytes - frame) };
}

export function valuesContract(current: () => ContractStore): void {
  const roundTrip = async (value: unknown) => {
    const { database, table } = current();
    const key = { pk: freshPk(), sk: 'A' };
    await database.write({ table, put: { ...key, value } });
    return (await database.get(table, key))?.value;
  };

  test.each([
    ['an empty string', ''],
    ['text of every plane', 'ä\u0000\n\t"\\ 你好 😀 \u{10FFFF}'],
    ['combining characters, not normalised', 'e\u0301'],
    ['zero', 0],
    ['the largest safe integer', Number.MAX_SAFE_INTEGER],
    ['the smallest safe integer', Number.MIN_SAFE_INTEGER],
    ['a fraction', 0.1],
    ['a small fraction', 1.5e-7],
    ['a number of fifteen digits', 123456789.012345],
    ['true', true],
    ['null', null],
    ['an empty list', []],
    ['an empty map', {}],
    ['a list of everything', [1, 'a', null, false, { b: [] }]],
    ['a map with odd names', { ' ': 1, 'a.b': 2, '#c': 3, ':d': 4, constructor: 5 }],
  ])('%s is returned as it was stored', async (_what, value) => {
    expect(await roundTrip(value)).toEqual(value);
  });

  test('bytes of every value, and an empty list of bytes, are returned as they were stored', async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, n) => n);
    expect(Buffer.from((await roundTrip(bytes)) as Uint8Array)).toEqual(Buffer.from(bytes));
    expect(Buffer.from((await roundTrip(new Uint8Array())) as Uint8Array)).toEqual(Buffer.alloc(0));
    const large = new Uint8Array(350 * 1024).fill(171);
    expect(Buffer.from((await roundTrip(large)) as Uint8Array).equals(large)).toBe(true);
  });

  test.each([2 ** 53, 1.25e20, Number.NaN, Number.POSITIVE_INFINITY])(
    '%p is refused, since it could not be returned exactly',
    async (value) => {
      await expect(roundTrip(value)).rejects.toThrow();
    },
  );

  test('undefined members are not stored', async () => {
    expect(await roundTrip({ a: undefined, b: 1 })).toEqual({ b: 1 });
  });

  test('a value with thirty levels of nesting is returned as it was stored', async () => {
    let value: unknown = 'bottom';
    for (let level = 0; level < 30; level++) value = level % 2 ? [value] : { level: value };
    expect(await roundTrip(value)).toEqual(value);
  });

  test('keys may contain any text, and differ if their bytes differ', async () => {
    const { database, table } = current();
    const keys = ['ä', 'a\u0308', '😀', 'a b', 'a#b', 'a%2Fb', "a'b;--", 'ſ', 's', 'S'].map((sk) => ({ pk: `${freshPk()}-ключ`, sk }));
    await database.transact(keys.map((key) => ({ table, put: { ...key, name: key.sk } })));
    for (const key of keys) expect((await database.get(table, key))?.name).toBe(key.sk);
  });

  test('a sort key of 1,024 bytes is stored, and a longer one is refused', async () => {
    const { database, table } = current();
    const pk = freshPk();
    await database.write({ table, put: { pk, sk: 'é'.repeat(512) } });
    expect(await database.count(table, pk)).toBe(1);
    await expect(database.write({ table, put: { pk, sk: `${'é'.repeat(512)}x` } })).rejects.toThrow(/size|1024/i);
  });

  test('an empty key is refused', async () => {
    const { database, table } = current();
    await expect(database.write({ table, put: { pk: freshPk(), sk: '' } })).rejects.toThrow();
    await expect(database.get(table, { pk: '', sk: 'A' })).rejects.toThrow();
  });

  test('an item of 400 KiB is stored whole', async () => {
    const { database, table } = current();
    const item = sizedItem(freshPk(), LARGEST_ITEM_BYTES);
    await database.write({ table, put: item });
    expect(await database.get(table, { pk: item.pk, sk: 'A' })).toEqual(item);
  });

  test('an item of more than 400 KiB is refused, and the item before it stays', async () => {
    const { database, table } = current();
    const pk = freshPk();
    await database.write({ table, put: { pk, sk: 'A', text: 'before' } });
    await expect(database.write({ table, put: sizedItem(pk, LARGEST_ITEM_BYTES + 1) })).rejects.toThrow(/size/i);
    await expect(database.transact([{ table, put: sizedItem(pk, LARGEST_ITEM_BYTES + 1) }])).rejects.toThrow();
    expect(await database.get(table, { pk, sk: 'A' })).toEqual({ pk, sk: 'A', text: 'before' });
  });
}
