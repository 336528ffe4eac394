import { GetItemCommand, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  PutCommand,
  QueryCommand,
  TransactGetCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { backoffMs } from '../backoff.ts';
import { type Clock, systemClock } from '../clock.ts';
import { AppError } from '../errors.ts';
import { coalesceReads } from './coalesced-reads.ts';
import { ConditionFailed, type Database, type Item, type Key, keyOf, type QueryOptions, type Write } from './database.ts';
import { type DynamoDbEndpoint, dynamoDbClient } from './dynamodb-client.ts';
import { queryInput, writeInput } from './expressions.ts';

export interface DynamoDbOptions extends DynamoDbEndpoint {
  /** Turns a table's name in the code into its name in the account. */
  tableName?: (table: string) => string;
  clock?: Clock;
  /** Told what each call cost, in capacity units; asks DynamoDB to say so. For benchmarks. */
  onConsumed?: (operation: string, units: number) => void;
}

const MAX_ATTEMPTS = 10;
const RETRIED: ReadonlySet<string> = new Set(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded']);
const CONFLICT_BACKOFF = { baseMs: 20, capMs: 500 };

/** The only way into DynamoDB. */
export function createDatabase(options: DynamoDbOptions = {}): Database & { close(): void } {
  const { clock = systemClock, onConsumed, tableName = (table) => table } = options;
  const raw = dynamoDbClient(options);
  const client = DynamoDBDocumentClient.from(raw, {
    // A map with a member called `constructor`, as users may send, passes for a class instance: it is a map all the same.
    marshallOptions: { removeUndefinedValues: true, convertClassInstanceToMap: true },
  });
  const consumed = onConsumed ? { ReturnConsumedCapacity: 'TOTAL' as const } : {};
  const told = (
    operation: string,
    capacity: { CapacityUnits?: number | undefined } | { CapacityUnits?: number | undefined }[] | undefined,
  ) => {
    if (!onConsumed) return;
    const all = Array.isArray(capacity) ? capacity : [capacity];
    onConsumed(
      operation,
      all.reduce((sum, one) => sum + (one?.CapacityUnits ?? 0), 0),
    );
  };

  async function query(table: string, queryOptions: QueryOptions) {
    const result = await client.send(new QueryCommand({ ...queryInput(tableName(table), queryOptions), ...consumed }));
    told('Query', result.ConsumedCapacity);
    const next = result.LastEvaluatedKey?.sk as string | undefined;
    return { items: (result.Items ?? []) as Item[], ...(next !== undefined && { next }) };
  }

  async function getOne(table: string, key: Key): Promise<Item | undefined> {
    // By the low-level client: the document client's middleware takes a tenth of the call, and every idle poll is this one call.
    const Key = { pk: { S: key.pk }, sk: { S: key.sk } };
    const result = await raw.send(new GetItemCommand({ TableName: tableName(table), Key, ConsistentRead: true, ...consumed }));
    told('GetItem', result.ConsumedCapacity);
    return result.Item && (unmarshall(result.Item) as Item);
  }

  async function batchGet(table: string, keys: readonly Key[]): Promise<Item[]> {
    // A batch that names a key twice is refused whole.
    const distinct = [...new Map(keys.map((key) => [`${key.pk}\n${key.sk}`, key])).values()];
    const pages: Key[][] = [];
    for (let at = 0; at < distinct.length; at += 100) pages.push(distinct.slice(at, at + 100));
    return (await Promise.all(pages.map((page) => batchGetPage(table, page)))).flat();
  }

  async function batchGetPage(table: string, keys: Key[]): Promise<Item[]> {
    const items: Item[] = [];
    let pending = keys;
    for (let attempt = 0; pending.length > 0; attempt++) {
      if (attempt === MAX_ATTEMPTS) throw new Error(`DynamoDB left ${pending.length} of ${keys.length} keys unread`);
      if (attempt > 0) await clock.sleep(backoffMs(attempt, CONFLICT_BACKOFF));
      const name = tableName(table);
      const result = await client.send(
        new BatchGetCommand({ RequestItems: { [name]: { Keys: pending, ConsistentRead: true } }, ...consumed }),
      );
      told('BatchGetItem', result.ConsumedCapacity);
      items.push(...((result.Responses?.[name] ?? []) as Item[]));
      pending = (result.UnprocessedKeys?.[name]?.Keys ?? []) as Key[];
    }
    return items;
  }

  /** Tries again where another transaction was in the way. A failed condition is an answer, and final. */
  async function insist<T>(writes: readonly Write[], send: () => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await send();
      } catch (error) {
        if (!isConflict(error, writes)) throw error;
        if (attempt + 1 >= MAX_ATTEMPTS)
          throw new AppError('unavailable', 'many are changing the same at once; try again', { cause: error });
        await clock.sleep(backoffMs(attempt, CONFLICT_BACKOFF));
      }
    }
  }

  return {
    query,
    batchGet,
    get: coalesceReads({ one: getOne, many: batchGet }),
    async transactGet(table, keys) {
      const TransactItems = keys.map((Key) => ({ Get: { TableName: tableName(table), Key } }));
      return insist([], async () => {
        const result = await client.send(new TransactGetCommand({ TransactItems, ...consumed }));
        told('TransactGetItems', result.ConsumedCapacity);
        const { Responses: responses = [] } = result;
        if (responses.length !== keys.length) throw new Error(`DynamoDB answered ${responses.length} of ${keys.length} keys`);
        return responses.map(({ Item }) => Item as Item | undefined);
      });
    },
    async count(table, pk) {
      let total = 0;
      let start: Record<string, unknown> | undefined;
      do {
        const result = await client.send(
          new QueryCommand({
            ...queryInput(tableName(table), { pk }),
            Select: 'COUNT',
            ...(start && { ExclusiveStartKey: start }),
            ...consumed,
          }),
        );
        told('Query', result.ConsumedCapacity);
        total += result.Count ?? 0;
        start = result.LastEvaluatedKey;
      } while (start);
      return total;
    },
    async write(write) {
      if ('check' in write) throw new Error('a check needs a transaction');
      const input = { ...writeInput(write, tableName), ...consumed };
      return insist([write], async () => {
        if ('put' in write) {
          const result = await client.send(new PutCommand(input as never));
          told('PutItem', result.ConsumedCapacity);
          return write.put;
        }
        if ('delete' in write) {
          const result = await client.send(new DeleteCommand(input as never));
          told('DeleteItem', result.ConsumedCapacity);
          return undefined;
        }
        const result = await client.send(new UpdateCommand({ ...(input as object), ReturnValues: 'ALL_NEW' } as never));
        told('UpdateItem', result.ConsumedCapacity);
        return result.Attributes as Item | undefined;
      });
    },
    async transact(writes) {
      if (writes.length === 0) return;
      const TransactItems = writes.map((write) => {
        const input = writeInput(write, tableName) as never;
        if ('put' in write) return { Put: input };
        if ('update' in write) return { Update: input };
        return 'delete' in write ? { Delete: input } : { ConditionCheck: input };
      });
      await insist(writes, async () => {
        const result = await client.send(new TransactWriteCommand({ TransactItems, ...consumed }));
        told('TransactWriteItems', result.ConsumedCapacity);
      });
    },
    close: () => raw.destroy(),
  };
}

const failureOf = (write: Write): Error => write.orElse?.() ?? new ConditionFailed(keyOf(write));

/** Throws the failed condition's own error; true where trying again may help. */
function isConflict(error: unknown, writes: readonly Write[]): boolean {
  if (!(error instanceof Error)) return false;
  const reasons = error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []).map(({ Code }) => Code) : [];
  const failed = error.name === 'ConditionalCheckFailedException' ? 0 : reasons.indexOf('ConditionalCheckFailed');
  const write = writes[failed];
  if (write) throw failureOf(write);
  // A single write, too, is turned away while a transaction holds its item.
  return error.name === 'TransactionConflictException' || reasons.some((code) => RETRIED.has(code ?? ''));
}
