import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { beforeEach, expect, test } from '@jest/globals';
import { type ContractStore, freshPk } from './contract-store.ts';

/** The costs of calls are part of the design. If an engine keeps these numbers, a benchmark on it shows the bill of AWS. */
export function costsContract(current: () => ContractStore): void {
  beforeEach(() => void current().costs());

  const cost = async (act: () => Promise<unknown>) => {
    current().costs();
    await act();
    return current()
      .costs()
      .reduce((sum, { units }) => sum + units, 0);
  };

  test('a read costs one unit for each 4 KB of its item, and one unit if there is no item', async () => {
    const { database, table } = current();
    const pk = freshPk();
    await database.write({ table, put: { pk, sk: 'SMALL', text: 'x'.repeat(100) } });
    await database.write({ table, put: { pk, sk: 'LARGE', text: 'x'.repeat(4_200) } });
    expect(await cost(() => database.get(table, { pk, sk: 'SMALL' }))).toBe(1);
    expect(await cost(() => database.get(table, { pk, sk: 'LARGE' }))).toBe(2);
    expect(await cost(() => database.get(table, { pk, sk: 'NONE' }))).toBe(1);
  });

  test('a read as of one moment costs two units for each item of up to 4 KB', async () => {
    const { database, table } = current();
    const pk = freshPk();
    await database.write({ table, put: { pk, sk: 'A' } });
    await database.write({ table, put: { pk, sk: 'B' } });
    expect(
      await cost(() =>
        database.transactGet(table, [
          { pk, sk: 'A' },
          { pk, sk: 'B' },
        ]),
      ),
    ).toBe(4);
  });

  test('an eventually consistent read costs half a unit', async () => {
    const { database, raw, table, physicalTable } = current();
    const pk = freshPk();
    await database.write({ table, put: { pk, sk: 'A' } });
    const { ConsumedCapacity } = await raw.send(
      new GetItemCommand({ TableName: physicalTable, Key: { pk: { S: pk }, sk: { S: 'A' } }, ReturnConsumedCapacity: 'TOTAL' }),
    );
    expect(ConsumedCapacity?.CapacityUnits).toBe(0.5);
  });

  test('a query costs one unit for each 4 KB of all its items together', async () => {
    const { database, table } = current();
    const pk = freshPk();
    const puts = Array.from({ length: 20 }, (_, n) => ({ table, put: { pk, sk: String(n), text: 'x'.repeat(100) } }));
    await database.transact(puts);
    expect(await cost(() => database.query(table, { pk }))).toBe(1);
    expect(await cost(() => database.count(table, pk))).toBe(1);
  });

  test('a batch costs one unit for each of its items', async () => {
    const { database, table } = current();
    const pk = freshPk();
    const keys = Array.from({ length: 10 }, (_, n) => ({ pk, sk: String(n) }));
    await database.transact(keys.map((put) => ({ table, put })));
    expect(await cost(() => database.batchGet(table, keys))).toBe(10);
  });

  test('a write costs one unit for each kilobyte, and two in a transaction', async () => {
    const { database, table } = current();
    const pk = freshPk();
    const text = 'x'.repeat(1_100);
    expect(await cost(() => database.write({ table, put: { pk, sk: 'A' } }))).toBe(1);
    expect(await cost(() => database.write({ table, put: { pk, sk: 'B', text } }))).toBe(2);
    expect(await cost(() => database.write({ table, update: { pk, sk: 'B' }, add: { n: 1 } }))).toBe(2);
    expect(await cost(() => database.write({ table, delete: { pk, sk: 'A' } }))).toBe(1);
    expect(await cost(() => database.transact([{ table, put: { pk, sk: 'C' } }]))).toBe(2);
    expect(
      await cost(() =>
        database.transact([
          { table, put: { pk, sk: 'D', text } },
          { table, delete: { pk, sk: 'C' } },
        ]),
      ),
    ).toBe(6);
  });
}
