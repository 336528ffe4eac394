import { randomUUID } from 'node:crypto';
import { TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { expect, test } from '@jest/globals';
import { ConditionFailed, type Write } from '../../lib/platform/database/database.ts';
import { type ContractStore, freshPk } from './contract-store.ts';

class StackGone extends Error {}
class NameTaken extends Error {}

export function transactionsContract(current: () => ContractStore): void {
  test('a transaction may contain every kind of write', async () => {
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

  test('a transaction with one failed condition stores nothing, wherever the condition stands', async () => {
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

  test('a transaction fails with the error of its first write whose condition failed', async () => {
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

  test('a transaction may contain a hundred writes', async () => {
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
  ])('a transaction with %s is refused whole', async (_what, writes) => {
    const { database, table } = current();
    const pk = freshPk();
    await expect(database.transact(writes(pk).map((write) => ({ table, ...write })))).rejects.toThrow();
    expect(await database.count(table, pk)).toBe(0);
  });

  test('a transaction without writes does nothing', async () => {
    const { database } = current();
    await expect(database.transact([])).resolves.toBeUndefined();
  });

  test('a transaction that is sent twice with one token is carried out once', async () => {
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

  test('exactly one of fifty concurrent transactions wins a condition, and only its writes are stored', async () => {
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

  test('concurrent transactions on one item without a condition all succeed', async () => {
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
