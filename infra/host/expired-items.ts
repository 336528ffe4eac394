import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import type { Clock } from '../../lib/platform/clock.ts';
import type { Table } from '../../lib/platform/database/table.ts';
import type { ScheduledFunction } from './schedules.ts';

export interface ExpiredItemsOptions {
  client: DynamoDBClient;
  tables: readonly Table[];
  physicalName: (name: string) => string;
  clock: Clock;
}

const EVERY_SECONDS = 15;
/** A run looks at so many items of each table and deletes so many at the most: about a tenth of a second of the engine's time. */
const LOOK_AT = 1_000;
const DELETE_AT_MOST = 500;

/** What time to live does on AWS, for the embedded engine, which never deletes an expired item: tables would only ever grow. */
export function expiredItemsSchedule({ client, tables, physicalName, clock }: ExpiredItemsOptions): ScheduledFunction {
  const names = tables.filter(({ timeToLive }) => timeToLive).map(({ name }) => physicalName(name));
  /** Where the next run goes on in each table; none at its beginning. */
  const cursors = new Map<string, Record<string, AttributeValue> | undefined>();

  const look = (TableName: string, seconds: string) =>
    client.send(
      new ScanCommand({
        TableName,
        Limit: LOOK_AT,
        FilterExpression: 'expires_at <= :now',
        ExpressionAttributeValues: { ':now': { N: seconds } },
        ProjectionExpression: 'pk, sk',
        ExclusiveStartKey: cursors.get(TableName),
      }),
    );

  return {
    name: 'expired-items',
    everySeconds: EVERY_SECONDS,
    async handler() {
      const seconds = String(Math.floor(clock.nowMs() / 1_000));
      let left = DELETE_AT_MOST;
      for (const TableName of names) {
        const { Items: expired = [], LastEvaluatedKey } = await look(TableName, seconds);
        for (const Key of expired.slice(0, left)) {
          // It may have been given more time since it was looked at.
          const condition = { ConditionExpression: 'expires_at <= :now', ExpressionAttributeValues: { ':now': { N: seconds } } };
          await client.send(new DeleteItemCommand({ TableName, Key, ...condition })).catch(ignoreRenewal);
        }
        // What was too much for this run is found again by the next one.
        if (expired.length <= left) cursors.set(TableName, LastEvaluatedKey);
        left = Math.max(0, left - expired.length);
      }
    },
  };
}

function ignoreRenewal(error: unknown): void {
  if (!(error instanceof ConditionalCheckFailedException)) throw error;
}
