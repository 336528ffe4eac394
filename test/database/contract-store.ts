import { randomUUID } from 'node:crypto';
import { CreateTableCommand, DeleteTableCommand, type DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import type { Database } from '../../lib/platform/database/database.ts';
import { createDatabase } from '../../lib/platform/database/document-client.ts';
import { dynamoDbClient } from '../../lib/platform/database/dynamodb-client.ts';
import { startTestDynamoDb } from './test-dynamodb.ts';

/** One empty table, of its own for each test file, on whatever engine the tests run against. */
export interface ContractStore {
  endpoint: string;
  database: Database;
  /** The low-level client: for what the port doesn't offer. */
  raw: DynamoDBClient;
  /** The table's name as the code says it, and as the engine knows it. */
  table: string;
  physicalTable: string;
  /** What each call cost, in capacity units, since the last look. */
  costs(): { operation: string; units: number }[];
  close(): Promise<void>;
}

const TABLE = 'things';

export async function openContractStore(): Promise<ContractStore> {
  const engine = await startTestDynamoDb();
  const raw = dynamoDbClient({ endpoint: engine.endpoint });
  const physicalTable = `contract-${randomUUID()}-${TABLE}`;
  await raw.send(
    new CreateTableCommand({
      TableName: physicalTable,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    }),
  );
  await waitUntilTableExists({ client: raw, maxWaitTime: 60, minDelay: 1 }, { TableName: physicalTable });
  let told: { operation: string; units: number }[] = [];
  const database = createDatabase({
    endpoint: engine.endpoint,
    tableName: (table) => (table === TABLE ? physicalTable : table),
    onConsumed: (operation, units) => void told.push({ operation, units }),
  });
  return {
    endpoint: engine.endpoint,
    database,
    raw,
    table: TABLE,
    physicalTable,
    costs() {
      const since = told;
      told = [];
      return since;
    },
    async close() {
      await raw.send(new DeleteTableCommand({ TableName: physicalTable }));
      database.close();
      raw.destroy();
      await engine.stop();
    },
  };
}

/** A partition of its own for each test. */
export const freshPk = (): string => `TEST#${randomUUID()}`;
