import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTables } from '../../infra/host/engines/create-tables.ts';
import { type EmbeddedDynamoDb, startEmbeddedDynamoDb } from '../../infra/host/engines/embedded-dynamodb.ts';
import { expiredItemsSchedule } from '../../infra/host/engines/expired-items.ts';
import { systemClock } from '../../lib/platform/clock.ts';
import type { Database } from '../../lib/platform/database/database.ts';
import { createDatabase } from '../../lib/platform/database/document-client.ts';
import { dynamoDbClient } from '../../lib/platform/database/dynamodb-client.ts';
import { startTestHost } from '../harness/host.ts';

const tables = [
  { name: 'mortal', timeToLive: true },
  { name: 'eternal', timeToLive: false },
];
const NOW_SECONDS = 1_800_000_000;
let engine: EmbeddedDynamoDb;
let client: ReturnType<typeof dynamoDbClient>;
let database: Database & { close(): void };
beforeAll(async () => {
  engine = await startEmbeddedDynamoDb();
  client = dynamoDbClient({ endpoint: engine.endpoint });
  await createTables(client, tables, (name) => name);
  database = createDatabase({ endpoint: engine.endpoint });
});
afterAll(async () => {
  database.close();
  client.destroy();
  await engine.stop();
});
const newSchedule = () =>
  expiredItemsSchedule({ client, tables, physicalName: (name) => name, clock: { ...systemClock, nowMs: () => NOW_SECONDS * 1_000 } });
const put = (table: string, pk: string, expires_at?: number) =>
  database.write({ table, put: { pk, sk: 'S', ...(expires_at !== undefined && { expires_at }) } });

test('the schedule of the embedded store deletes expired items and no others', async () => {
  await put('mortal', 'past', NOW_SECONDS - 1);
  await put('mortal', 'now', NOW_SECONDS);
  await put('mortal', 'future', NOW_SECONDS + 1);
  await put('mortal', 'for-ever');
  await put('eternal', 'past', NOW_SECONDS - 1);
  await newSchedule().handler();
  const kept = async (table: string, pk: string) => (await database.get(table, { pk, sk: 'S' })) !== undefined;
  expect(await kept('mortal', 'past')).toBe(false);
  expect(await kept('mortal', 'now')).toBe(false);
  expect(await Promise.all([kept('mortal', 'future'), kept('mortal', 'for-ever'), kept('eternal', 'past')])).toEqual([true, true, true]);
});

test('the schedule of the embedded store deletes many expired items in bounded slices, until none is left', async () => {
  const count = 1_300;
  for (let start = 0; start < count; start += 100) {
    await database.transact(
      Array.from({ length: 100 }, (_, n) => ({
        table: 'mortal',
        put: { pk: 'many', sk: String(start + n).padStart(6, '0'), expires_at: NOW_SECONDS - 60 },
      })),
    );
  }
  const schedule = newSchedule();
  let left = count;
  for (let run = 0; left > 0; run++) {
    expect(run).toBeLessThan(10);
    await schedule.handler();
    const now = await database.count('mortal', 'many');
    expect(left - now).toBeLessThanOrEqual(500);
    left = now;
  }
});

test('the host runs the deletion of expired items besides the functions’ schedules', async () => {
  const host = await startTestHost();
  const key = { pk: 'AUDIT#test', sk: 'S' };
  await host.app.services.database.write({ table: 'telemetry', put: { ...key, expires_at: 1 } });
  await host.schedules.fire('expired-items');
  const found = await host.app.services.database.get('telemetry', key);
  await host.stop();
  expect(found).toBeUndefined();
});
