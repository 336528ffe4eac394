import { randomUUID } from 'node:crypto';
import { CreateTableCommand, DeleteTableCommand, type DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import type { Database } from '../../lib/platform/database/database.ts';
import { createDatabase } from '../../lib/platform/database/document-client.ts';
import { dynamoDbClient } from '../../lib/platform/database/dynamodb-client.ts';
import { patientTransport, startTestDynamoDb } from './test-dynamodb.ts';

/** An empty table for one test file, on the engine that the tests run against. */
export interface ContractStore {
  endpoint: string;
  database: Database;
  /** The low-level client, for calls that the port doesn't offer. */
  raw: DynamoDBClient;
  /** The table's name in the code and in the engine. */
  table: string;
  physicalTable: string;
  /** The cost of each call since the last look, in capacity units. */
  costs(): { operation: string; units: number }[];
  close(): Promise<void>;
}

const TABLE = 'things';

export async function openContractStore(): Promise<ContractStore> {
  const engine = await startTestDynamoDb();
  const raw = dynamoDbClient({ endpoint: engine.endpoint, transport: patientTransport });
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
  let consumed: { operation: string; units: number }[] = [];
  const database = createDatabase({
    endpoint: engine.endpoint,
    transport: patientTransport,
    tableName: (table) => (table === TABLE ? physicalTable : table),
    onConsumed: (operation, units) => void consumed.push({ operation, units }),
  });
  return {
    endpoint: engine.endpoint,
    database,
    raw,
    table: TABLE,
    physicalTable,
    costs() {
      const since = consumed;
      consumed = [];
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

/** A partition for one test. */
export const freshPk = (): string => `TEST#${randomUUID()}`;
