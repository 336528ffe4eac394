import { createTables } from '../../../infra/host/engines/create-tables.ts';
import { gatewayTable } from '../../../lib/ai/gateway-table.ts';
import { usageTable } from '../../../lib/ai/usage-table.ts';
import type { Clock } from '../../../lib/platform/clock.ts';
import { systemClock } from '../../../lib/platform/clock.ts';
import { createDatabase } from '../../../lib/platform/database/document-client.ts';
import { dynamoDbClient } from '../../../lib/platform/database/dynamodb-client.ts';
import { patientTransport, startTestDynamoDb } from '../../database/test-dynamodb.ts';

/** A store with the tables of limits, on the engine that the tests run against. */
export async function openUsageStore() {
  const engine = await startTestDynamoDb();
  const raw = dynamoDbClient({ endpoint: engine.endpoint, transport: patientTransport });
  await createTables(raw, [usageTable, gatewayTable], (name) => name);
  const consumed: { operation: string; units: number }[] = [];
  const database = createDatabase({
    endpoint: engine.endpoint,
    transport: patientTransport,
    onConsumed: (operation, units) => void consumed.push({ operation, units }),
  });
  return {
    endpoint: engine.endpoint,
    transport: patientTransport,
    database,
    /** The calls since the last look. */
    calls: () => consumed.splice(0),
    async close() {
      database.close();
      raw.destroy();
      await engine.stop();
    },
  };
}
export type UsageStore = Awaited<ReturnType<typeof openUsageStore>>;

/** A clock that stands until the test moves it. Sleeping takes no time. */
export function standingClock(startMs: number): Clock & { move(ms: number): void } {
  let nowMs = startMs;
  return {
    ...systemClock,
    nowMs: () => nowMs,
    move: (ms) => {
      nowMs += ms;
    },
  };
}
