import { randomUUID } from 'node:crypto';
import { TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { expect, test } from '@jest/globals';
import { ConditionFailed, type Write } from '../../lib/platform/database/database.ts';
import { type ContractStore, freshPk } from './contract-store.ts';

class StackGone extends Error {}
class NameTaken extends Error {}

export function transactionsContract(current: () => ContractStore): void {
  test('every kind of write goes together', async () => {
    const { database, table } = current();
    const pk = freshPk();
    await database.transact(['B', 'C', 'D'].map((sk) => ({ table, put: { pk, sk, n: 1 } })));
    await database.transact([
      { table, put: { pk, sk: 'A' }, if: { exists: false } },
      { table, update: { pk, sk: 'B' }, add: { n: 1 }, set: { name: 'b' } },
      { table, delete: { pk, sk: 'C' }, if: { equals: { n: 1 } } },
      { table, check: { pk, sk: 'D' }, if: { exists: true } },
    ]);
    expect((await database.query(table, { pk })).items).toEqual([
      { pk, sk: 'A' },
      { pk, sk: 'B', n: 2, name: 'b' },
      { pk, sk: 'D', n: 1 },
    ]);
  });

  test('one failed condition stores nothing of the rest, wherever it stands', async () => {
    const { database, table } = current();
    const pk = freshPk();
    const writes: Write[] = [
      { table, put: { pk, sk: 'A' } },
      { table, update: { pk, sk: 'B' }, add: { n: 1 } },
    ];
    const failing: Write = { table, check: { pk, sk: 'NONE' }, if: { exists: true } };
    for (const order of [
      [failing, ...writes],
      [...writes, failing],
    ]) {
      await expect(database.transact(order)).rejects.toEqual(new ConditionFailed({ pk, sk: 'NONE' }));
    }
    expect(await database.count(table, pk)).toBe(0);
  });

  test('the write whose condition failed says so in its own words, the first of several', async () => {
    const { database, table } = current();
    const pk = freshPk();
    await database.write({ table, put: { pk, sk: 'TAKEN' } });
    const fine: Write = { table, put: { pk, sk: 'FINE' }, orElse: () => new Error('never') };
    const gone: Write = { table, check: { pk, sk: 'STACK' }, if: { exists: true }, orElse: () => new StackGone() };
    const taken: Write = { table, put: { pk, sk: 'TAKEN' }, if: { exists: false }, orElse: () => new NameTaken() };
    await expect(database.transact([fine, gone])).rejects.toBeInstanceOf(StackGone);
    await expect(database.transact([fine, taken, gone])).rejects.toBeInstanceOf(NameTaken);
    await expect(database.transact([gone, fine, taken])).rejects.toBeInstanceOf(StackGone);
  });

  test('a hundred writes are one transaction', async () => {
    const { database, table } = current();
    const pk = freshPk();
    const puts = Array.from({ length: 100 }, (_, n): Write => ({ table, put: { pk, sk: String(n) }, if: { exists: false } }));
    await database.transact(puts);
    expect(await database.count(table, pk)).toBe(100);
  });

  test.each([
    ['more than a hundred writes', (pk: string) => Array.from({ length: 101 }, (_, n) => ({ put: { pk, sk: String(n) } }))],
    ['two writes to one item', (pk: string) => [{ put: { pk, sk: 'A' } }, { put: { pk, sk: 'A', again: true } }]],
    [
      'more than 4 MB',
      (pk: string) => Array.from({ length: 11 }, (_, n) => ({ put: { pk, sk: String(n), text: 'x'.repeat(390 * 1024) } })),
    ],
  ])('%s are refused whole', async (_what, writes) => {
    const { database, table } = current();
    const pk = freshPk();
    await expect(database.transact(writes(pk).map((write) => ({ table, ...write })))).rejects.toThrow();
    expect(await database.count(table, pk)).toBe(0);
  });

  test('a transaction of nothing is nothing', async () => {
    const { database } = current();
    await expect(database.transact([])).resolves.toBeUndefined();
  });

  test('the same request sent twice, as after a lost answer, is carried out once', async () => {
    const { database, raw, table, physicalTable } = current();
    const pk = freshPk();
    const request = new TransactWriteItemsCommand({
      ClientRequestToken: randomUUID(),
      TransactItems: [
        {
          Update: {
            TableName: physicalTable,
            Key: { pk: { S: pk }, sk: { S: 'A' } },
            UpdateExpression: 'ADD n :one',
            ExpressionAttributeValues: { ':one': { N: '1' } },
          },
        },
      ],
    });
    await raw.send(request);
    await raw.send(request);
    expect((await database.get(table, { pk, sk: 'A' }))?.n).toBe(1);
  });

  test('of fifty transactions at once on one item exactly one wins its condition, and only its other writes are there', async () => {
    const { database, table } = current();
    const pk = freshPk();
    await database.write({ table, put: { pk, sk: 'HEAD', version: 1 } });
    const results = await Promise.allSettled(
      Array.from({ length: 50 }, (_, by) =>
        database.transact([
          { table, put: { pk, sk: `BY#${by}` } },
          { table, update: { pk, sk: 'HEAD' }, set: { version: 2, by }, if: { equals: { version: 1 } } },
        ]),
      ),
    );
    const winners = results.flatMap((result, by) => (result.status === 'fulfilled' ? [by] : []));
    expect(winners).toEqual([(await database.get(table, { pk, sk: 'HEAD' }))?.by]);
    expect((await database.query(table, { pk, prefix: 'BY#' })).items.map(({ sk }) => sk)).toEqual([`BY#${winners[0]}`]);
  });

  test('transactions that meet on one item without a condition all get through', async () => {
    const { database, table } = current();
    const pk = freshPk();
    await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        database.transact([
          { table, put: { pk, sk: `N#${n}` } },
          { table, update: { pk, sk: 'HEAD' }, add: { n: 1 } },
        ]),
      ),
    );
    expect((await database.get(table, { pk, sk: 'HEAD' }))?.n).toBe(8);
  });
}
