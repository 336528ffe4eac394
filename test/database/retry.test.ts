import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createTables } from '../../infra/host/engines/create-tables.ts';
import { startEmbeddedDynamoDb } from '../../infra/host/engines/embedded-dynamodb.ts';
import { type Clock, systemClock } from '../../lib/platform/clock.ts';
import type { Database, Write } from '../../lib/platform/database/database.ts';
import { createDatabase } from '../../lib/platform/database/document-client.ts';
import { dynamoDbClient, STORE_TIMEOUTS } from '../../lib/platform/database/dynamodb-client.ts';
import { undiciTransport } from '../../lib/platform/database/undici-transport.ts';
import { type Fate, type FaultyEngine, faultyEngine, throttle } from './faulty-engine.ts';

const table = 'faults';
const key = { pk: 'P', sk: 'S' };
const count: Write = { table, update: key, add: { n: 1 } };

const TRANSPORTS = [
  { over: "the SDK's own transport", transport: undefined },
  { over: 'undici', transport: () => undiciTransport(STORE_TIMEOUTS) },
];

describe.each(TRANSPORTS)('a store that fails for a while, over $over', ({ transport }) => {
  let engine: Awaited<ReturnType<typeof startEmbeddedDynamoDb>>;
  let faulty: FaultyEngine;
  let database: Database & { close(): void };
  /** A wait ends at once and only moves the monotonic clock. */
  let waitedMs = 0;
  const clock: Clock = {
    ...systemClock,
    monotonicMs: () => waitedMs,
    sleep: async (ms) => {
      waitedMs += ms;
    },
  };
  beforeAll(async () => {
    engine = await startEmbeddedDynamoDb();
    faulty = await faultyEngine(engine.endpoint);
    const client = dynamoDbClient({ endpoint: engine.endpoint });
    await createTables(client, [{ name: table, timeToLive: false }], (name) => name);
    client.destroy();
    database = createDatabase({ endpoint: faulty.endpoint, clock, ...(transport && { transport: transport() }) });
  });
  afterAll(async () => {
    database?.close();
    await faulty?.close();
    await engine.stop();
  });
  beforeEach(async () => {
    faulty.decide = () => undefined;
    await database.write({ table, delete: key });
    faulty.calls.length = 0;
    waitedMs = 0;
  });
  const failing = (times: number, fate: Fate | typeof throttle) => {
    faulty.decide = (operation, input) => {
      if (times-- <= 0) return undefined;
      return typeof fate === 'function' ? fate(operation, input) : fate;
    };
  };
  const stored = async () => (await database.get(table, key))?.n;

  const CALLS: Record<string, () => Promise<unknown>> = {
    'a read': () => database.get(table, key),
    'a read of many': () => database.batchGet(table, [key, { pk: 'P', sk: 'T' }]),
    'a read as of one moment': () => database.transactGet(table, [key]),
    'a query': () => database.query(table, { pk: 'P' }),
    'a count': () => database.count(table, 'P'),
    'a write': () => database.write({ table, put: key }),
    'a transaction': () => database.transact([count, { table, put: { pk: 'P', sk: 'T' } }]),
  };
  const FAULTS: Record<string, Fate | typeof throttle> = {
    throttled: throttle,
    'lost before it arrives': 'lose-call',
    'carried out without an answer': 'lose-answer',
    'answered with 500': { status: 500, body: {} },
  };
  const pairs = Object.entries(CALLS).flatMap(([name, call]) => Object.entries(FAULTS).map(([kind, fate]) => ({ name, kind, call, fate })));
  test.each(pairs)('$name that is $kind twice is retried and succeeds', async ({ call, fate }) => {
    failing(2, fate);
    await call();
    expect(faulty.calls).toHaveLength(3);
  });

  test.each(pairs)(
    '$name that is always $kind fails as unavailable within two seconds and says when to try again',
    async ({ call, fate }) => {
      failing(Number.POSITIVE_INFINITY, fate);
      await expect(call()).rejects.toMatchObject({ kind: 'unavailable', retryAfterSeconds: expect.any(Number), cause: expect.any(Error) });
      expect(faulty.calls.length).toBeLessThanOrEqual(10);
      expect(waitedMs).toBeLessThanOrEqual(2_000);
    },
  );

  test('a transaction whose answers were lost is carried out once', async () => {
    failing(3, 'lose-answer');
    await database.transact([count]);
    expect(await stored()).toBe(1);
  });

  test('a transaction whose answer was lost after it was carried out does not fail its own condition', async () => {
    failing(1, 'lose-answer');
    await database.transact([{ table, put: { ...key, n: 1 }, if: { exists: false } }]);
    expect(await stored()).toBe(1);
  });

  test('a transaction without tokens is not sent again after a lost answer', async () => {
    const withoutTokens = createDatabase({ endpoint: faulty.endpoint, clock, withoutTokens: true });
    const inputs: unknown[] = [];
    faulty.decide = (_operation, input) => {
      inputs.push(input);
      return inputs.length === 2 ? 'lose-answer' : undefined;
    };
    await withoutTokens.transact([count]);
    await expect(withoutTokens.transact([count])).rejects.toThrow('the change may have been made');
    withoutTokens.close();
    for (const input of inputs) expect(Object.keys(Object(input))).toEqual(['TransactItems']);
    expect([inputs.length, await stored()]).toEqual([2, 2]);
  });

  const UNREPEATABLE: Record<string, Write> = {
    'adds to a number': count,
    'requires that the item does not exist': { table, put: { ...key, n: 1 }, if: { exists: false } },
  };
  test.each(Object.entries(UNREPEATABLE))(
    'a single write that %s is not sent again after a lost answer, and its error says that the change may have been made',
    async (_what, write) => {
      failing(1, 'lose-answer');
      await expect(database.write(write)).rejects.toThrow('the change may have been made');
      expect(faulty.calls).toHaveLength(1);
      expect(await stored()).toBe(1);
    },
  );

  test('a single write that was only throttled is always sent again', async () => {
    failing(2, throttle);
    await database.write(count);
    expect(await stored()).toBe(1);
  });

  test('a store that cannot be reached is unavailable, and the error says so', async () => {
    const nowhere = createDatabase({ endpoint: 'http://127.0.0.1:9', clock, ...(transport && { transport: transport() }) });
    await expect(nowhere.write(count)).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('cannot be reached'),
    });
    nowhere.close();
  });
});
