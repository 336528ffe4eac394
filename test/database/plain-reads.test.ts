import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTables } from '../../infra/host/engines/create-tables.ts';
import { type EmbeddedDynamoDb, startEmbeddedDynamoDb } from '../../infra/host/engines/embedded-dynamodb.ts';
import type { Database } from '../../lib/platform/database/database.ts';
import { createDatabase } from '../../lib/platform/database/document-client.ts';
import { dynamoDbClient, STORE_TIMEOUTS } from '../../lib/platform/database/dynamodb-client.ts';
import { createPlainReads } from '../../lib/platform/database/plain-reads.ts';
import { type FaultyEngine, faultyEngine } from './faulty-engine.ts';

/** Reads without the SDK must return what the SDK would return. */
let engine: EmbeddedDynamoDb;
let counted: FaultyEngine;
let database: Database & { close(): void };
const key = { pk: 'P', sk: 'S' };
beforeAll(async () => {
  engine = await startEmbeddedDynamoDb();
  counted = await faultyEngine(engine.endpoint);
  const client = dynamoDbClient({ endpoint: engine.endpoint });
  await createTables(client, [{ name: 'reads', timeToLive: false }], (name) => name);
  client.destroy();
  database = createDatabase({
    endpoint: counted.endpoint,
    plainReads: createPlainReads({ endpoint: counted.endpoint, ...STORE_TIMEOUTS }),
  });
});
afterAll(async () => {
  database.close();
  await counted.close();
  await engine.stop();
});

test('a read without the SDK returns every kind of value as it was stored, in one call', async () => {
  const item = {
    ...key,
    text: 'ä€😀"\\\n',
    empty: '',
    zero: 0,
    large: Number.MAX_SAFE_INTEGER,
    fraction: -0.5,
    yes: true,
    no: false,
    nothing: null,
    list: [1, 'two', [null], { three: 3 }],
    map: { constructor: 'a member', nested: { deep: [] } },
    bytes: new Uint8Array([0, 255, 128]),
  };
  await database.write({ table: 'reads', put: item });
  counted.calls.length = 0;
  expect(await database.get('reads', key)).toEqual(item);
  expect(counted.calls).toEqual(['GetItem']);
});

test('the SDK reads a value of a kind that the product never stores', async () => {
  const client = dynamoDbClient({ endpoint: engine.endpoint });
  await client.send(new PutItemCommand({ TableName: 'reads', Item: { pk: { S: 'set' }, sk: { S: 'S' }, names: { SS: ['a', 'b'] } } }));
  client.destroy();
  expect(await database.get('reads', { pk: 'set', sk: 'S' })).toEqual({ pk: 'set', sk: 'S', names: new Set(['a', 'b']) });
});

test('a refused read fails with the same name and message as in the SDK', async () => {
  await expect(database.get('no-such-table', key)).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
    message: expect.stringContaining('resource not found'),
    $metadata: { httpStatusCode: 400 },
  });
});
