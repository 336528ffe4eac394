import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import type { Clock } from '../../../lib/platform/clock.ts';
import type { Table } from '../../../lib/platform/database/table.ts';
import type { ScheduledFunction } from '../schedules.ts';

export interface ExpiredItemsOptions {
  client: DynamoDBClient;
  tables: readonly Table[];
  physicalName: (name: string) => string;
  clock: Clock;
}

const EVERY_SECONDS = 15;
/** A run reads this many items of each table and deletes at most so many: about a tenth of a second of the engine's time. */
const READ_AT_MOST = 1_000;
const DELETE_AT_MOST = 500;

/** Deletes expired items, as time to live does on AWS. The embedded engine never does, so that its tables would only grow. */
export function expiredItemsSchedule({ client, tables, physicalName, clock }: ExpiredItemsOptions): ScheduledFunction {
  const names = tables.filter(({ timeToLive }) => timeToLive).map(({ name }) => physicalName(name));
  /** The keys behind which the next run continues in each table; undefined at a table's beginning. */
  const cursors = new Map<string, Record<string, AttributeValue> | undefined>();

  const findExpired = (TableName: string, seconds: string) =>
    client.send(
      new ScanCommand({
        TableName,
        Limit: READ_AT_MOST,
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
        const { Items: expired = [], LastEvaluatedKey } = await findExpired(TableName, seconds);
        for (const Key of expired.slice(0, left)) {
          // The item's time may have been extended since it was read.
          const condition = { ConditionExpression: 'expires_at <= :now', ExpressionAttributeValues: { ':now': { N: seconds } } };
          await client.send(new DeleteItemCommand({ TableName, Key, ...condition })).catch(ignoreRenewal);
        }
        // The next run finds the items again that this run did not delete.
        if (expired.length <= left) cursors.set(TableName, LastEvaluatedKey);
        left = Math.max(0, left - expired.length);
      }
    },
  };
}

function ignoreRenewal(error: unknown): void {
  if (!(error instanceof ConditionalCheckFailedException)) throw error;
}
