import { afterEach, describe, expect, test } from '@jest/globals';
import { type Clock, systemClock } from '../../lib/platform/clock.ts';
import { ConditionFailed, type Write } from '../../lib/platform/database/database.ts';
import { createDatabase } from '../../lib/platform/database/document-client.ts';
import { failure, type ScriptedAnswer, type ScriptedService, scriptedService } from './scripted-service.ts';

const table = 't';
const key = { pk: 'P', sk: 'S' };
const put: Write = { table, put: key };
const ok: ScriptedAnswer = { body: {} };
const cancelled = (...codes: string[]) =>
  failure('TransactionCanceledException', { CancellationReasons: codes.map((Code) => ({ Code, Message: 'scripted' })) });

describe('a store that refuses a call', () => {
  let service: ScriptedService | undefined;
  let database: ReturnType<typeof createDatabase> | undefined;
  afterEach(async () => {
    database?.close();
    await service?.close();
  });

  async function storeThat(answer: (call: number, input: Record<string, unknown>) => ScriptedAnswer) {
    const waits: number[] = [];
    const clock: Clock = { ...systemClock, sleep: async (ms) => void waits.push(ms) };
    service = await scriptedService((_operation, input, call) => answer(call, input));
    database = createDatabase({ endpoint: service.endpoint, clock });
    return { database, calls: service.calls, waits };
  }

  test('a transaction that met a conflict is retried with a new token', async () => {
    const { database, calls, waits } = await storeThat((call) => (call < 3 ? cancelled('None', 'TransactionConflict') : ok));
    await database.transact([put, { ...put, put: { ...key, sk: 'T' } }]);
    expect(calls.map(({ operation }) => operation)).toEqual(Array(3).fill('TransactWriteItems'));
    expect(new Set(calls.map(({ input }) => input.ClientRequestToken)).size).toBe(3);
    expect(waits).toHaveLength(2);
  });

  test('a single write that met a conflict is retried', async () => {
    const { database, calls } = await storeThat((call) => (call < 3 ? failure('TransactionConflictException') : ok));
    await database.write(put);
    expect(calls).toHaveLength(3);
  });

  test('a transaction that meets conflicts gives up after ten attempts with a retryable error', async () => {
    const { database, calls } = await storeThat(() => cancelled('TransactionConflict'));
    await expect(database.transact([put])).rejects.toMatchObject({
      kind: 'unavailable',
      retryAfterSeconds: expect.any(Number),
      cause: { name: 'TransactionCanceledException' },
    });
    expect(calls).toHaveLength(10);
  });

  test('a failed condition is not retried, even if another write of the transaction met a conflict', async () => {
    const { database, calls } = await storeThat(() => cancelled('TransactionConflict', 'ConditionalCheckFailed'));
    const other = { ...key, sk: 'T' };
    await expect(database.transact([put, { table, check: other, if: { exists: true } }])).rejects.toEqual(new ConditionFailed(other));
    expect(calls).toHaveLength(1);
  });

  test('a transaction keeps its token after an attempt without an answer, whatever fault comes next', async () => {
    const answers = [
      cancelled('TransactionConflict'),
      { status: 500, body: {} },
      cancelled('TransactionConflict'),
      failure('TransactionInProgressException'),
    ];
    const { database, calls } = await storeThat((call) => answers[call - 1] ?? ok);
    await database.transact([put]);
    const tokens = calls.map(({ input }) => input.ClientRequestToken);
    expect(tokens).toEqual([expect.any(String), ...Array(4).fill(tokens[1])]);
    expect(tokens[0]).not.toBe(tokens[1]);
  });

  test('a read as of one moment is retried after a conflict with a transaction', async () => {
    const { database, calls } = await storeThat((call) => (call < 3 ? cancelled('TransactionConflict') : { body: { Responses: [{}] } }));
    expect(await database.transactGet(table, [key])).toEqual([undefined]);
    expect(calls).toHaveLength(3);
  });

  test('a read as of one moment fails if the answer has too few items', async () => {
    const { database } = await storeThat(() => ({ body: { Responses: [] } }));
    await expect(database.transactGet(table, [key])).rejects.toThrow('answered 0 of 1 keys');
  });

  test('keys that a batch left unread, and no others, are read again', async () => {
    const keys = ['A', 'B', 'C'].map((sk) => ({ pk: 'P', sk }));
    const stored = (sk: string) => ({ pk: { S: 'P' }, sk: { S: sk } });
    const { database, calls } = await storeThat((call) =>
      call === 1
        ? { body: { Responses: { t: [stored('A')] }, UnprocessedKeys: { t: { Keys: [stored('B'), stored('C')] } } } }
        : { body: { Responses: { t: [stored('B'), stored('C')] } } },
    );
    expect((await database.batchGet(table, keys)).map(({ sk }) => sk)).toEqual(['A', 'B', 'C']);
    expect(calls[1]?.input).toMatchObject({ RequestItems: { t: { Keys: [stored('B'), stored('C')], ConsistentRead: true } } });
  });

  test('a batch is read to its end over any number of answers, if each contains an item', async () => {
    const stored = (n: number) => ({ pk: { S: 'P' }, sk: { S: String(n) } });
    const keys = Array.from({ length: 30 }, (_, n) => ({ pk: 'P', sk: String(n) }));
    const { database } = await storeThat((call) => {
      const left = keys.slice(call).map(({ sk }) => stored(Number(sk)));
      return { body: { Responses: { t: [stored(call - 1)] }, UnprocessedKeys: left.length > 0 ? { t: { Keys: left } } : {} } };
    });
    expect(await database.batchGet(table, keys)).toHaveLength(30);
  });

  test('a batch whose keys stay unread fails instead of returning a part', async () => {
    const left = { t: { Keys: [{ pk: { S: 'P' }, sk: { S: 'S' } }] } };
    const { database } = await storeThat(() => ({ body: { Responses: {}, UnprocessedKeys: left } }));
    await expect(database.batchGet(table, [key])).rejects.toMatchObject({
      kind: 'unavailable',
      cause: { message: expect.stringContaining('left all 1 keys unread') },
    });
  });

  const puts = ['A', 'B', 'C'].map((sk) => ({ table, put: { pk: 'P', sk } }));
  const request = (sk: string) => ({ PutRequest: { Item: { pk: { S: 'P' }, sk: { S: sk } } } });

  test('puts that a batch left undone, and no others, are sent again', async () => {
    const { database, calls } = await storeThat((call) =>
      call === 1 ? { body: { UnprocessedItems: { t: [request('B'), request('C')] } } } : { body: { UnprocessedItems: {} } },
    );
    await database.putAll(puts);
    expect(calls.map(({ input }) => input.RequestItems)).toEqual([{ t: ['A', 'B', 'C'].map(request) }, { t: ['B', 'C'].map(request) }]);
  });

  test('puts that stay undone fail', async () => {
    const { database } = await storeThat(() => ({ body: { UnprocessedItems: { t: ['A', 'B', 'C'].map(request) } } }));
    await expect(database.putAll(puts)).rejects.toMatchObject({
      kind: 'unavailable',
      cause: { message: expect.stringContaining('left all 3 puts undone') },
    });
  });
});
