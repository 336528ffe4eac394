import { DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import type { Item } from '../../lib/platform/database/database.ts';
import { dynamoDbClient } from '../../lib/platform/database/dynamodb-client.ts';
import type { TestHost } from './host.ts';

/** Returns every item of a table. The product never scans; only a test needs to find remains anywhere. */
export async function scanTable({ config }: Pick<TestHost, 'config'>, table: string): Promise<Item[]> {
  const client = dynamoDbClient({ ...(config.DYNAMODB_ENDPOINT !== undefined && { endpoint: config.DYNAMODB_ENDPOINT }) });
  const documents = DynamoDBDocumentClient.from(client);
  const items: Item[] = [];
  let from: Record<string, unknown> | undefined;
  do {
    const page = await documents.send(new ScanCommand({ TableName: `${config.BROKKR_PREFIX}-${table}`, ExclusiveStartKey: from }));
    items.push(...((page.Items ?? []) as Item[]));
    from = page.LastEvaluatedKey;
  } while (from);
  client.destroy();
  return items;
}
