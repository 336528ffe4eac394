import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { type Clock, systemClock } from '../clock.ts';
import { type DynamoDbEndpoint, dynamoDbClient } from './dynamodb-client.ts';
import type { PlainReads } from './plain-reads.ts';
import { createRetry } from './retry.ts';

export interface DynamoDbOptions extends DynamoDbEndpoint {
  /** Turns a table's name in the code into its name in the account. */
  tableName?: (table: string) => string;
  clock?: Clock;
  /** Reads single items in place of the SDK. */
  plainReads?: PlainReads;
  /** Called with the cost of each call, in capacity units. DynamoDB returns the cost only if this is set; benchmarks set it. */
  onConsumed?: (operation: string, units: number) => void;
}

interface Capacity {
  CapacityUnits?: number | undefined;
}

/** One client of the low-level API, the document client over it, and the parts that every call shares. */
export type Connection = ReturnType<typeof connect>;

export function connect(options: DynamoDbOptions) {
  const { clock = systemClock, onConsumed, plainReads, withoutTokens = false, tableName = (table) => table } = options;
  // All attempts are counted and timed by createRetry, so the SDK makes only one.
  const raw = dynamoDbClient({ ...options, maxAttempts: 1 });
  return {
    raw,
    client: DynamoDBDocumentClient.from(raw, {
      // The SDK takes a map with a member called `constructor`, as users may send, for a class instance.
      marshallOptions: { removeUndefinedValues: true, convertClassInstanceToMap: true },
    }),
    retry: createRetry(clock),
    tableName,
    plainReads,
    withoutTokens,
    /** A part of each call's input. */
    consumed: onConsumed ? { ReturnConsumedCapacity: 'TOTAL' as const } : {},
    noteConsumed(operation: string, capacity: Capacity | Capacity[] | undefined): void {
      if (!onConsumed) return;
      const all = Array.isArray(capacity) ? capacity : [capacity];
      onConsumed(
        operation,
        all.reduce((sum, one) => sum + (one?.CapacityUnits ?? 0), 0),
      );
    },
    close() {
      plainReads?.close();
      raw.destroy();
    },
  };
}
