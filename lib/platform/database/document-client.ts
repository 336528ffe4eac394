import { GetItemCommand } from '@aws-sdk/client-dynamodb';
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
import { type Clock, systemClock } from '../clock.ts';
import { newId } from '../ids.ts';
import { coalesceReads } from './coalesced-reads.ts';
import type { Database, Item, Key, QueryOptions, Write } from './database.ts';
import { type DynamoDbEndpoint, dynamoDbClient } from './dynamodb-client.ts';
import { queryInput, writeInput } from './expressions.ts';
import type { PlainItem, PlainReads } from './plain-reads.ts';
import { conditionFailure, createRetry, type Fault, isRepeatable, type RetryOptions } from './retry.ts';

export interface DynamoDbOptions extends DynamoDbEndpoint {
  /** Turns a table's name in the code into its name in the account. */
  tableName?: (table: string) => string;
  clock?: Clock;
  /** Reads single items in place of the SDK. */
  plainReads?: PlainReads;
  /** Called with the cost of each call, in capacity units. DynamoDB returns the cost only if this is set; benchmarks set it. */
  onConsumed?: (operation: string, units: number) => void;
}

/** A batch may leave keys unread when the store is busy, or when the answer would be too large. */
class KeysLeft extends Error {
  override name = 'ThrottlingException';
}
const REPEATABLE = { repeatable: true };

/** The only way into DynamoDB. */
export function createDatabase(options: DynamoDbOptions = {}): Database & { close(): void } {
  const { clock = systemClock, onConsumed, plainReads, tableName = (table) => table } = options;
  const retry = createRetry(clock);
  // `retry` counts and times all attempts, so the SDK must not retry too.
  const raw = dynamoDbClient({ ...options, maxAttempts: 1 });
  const client = DynamoDBDocumentClient.from(raw, {
    // The SDK takes a map with a member called `constructor` for a class instance. Users may send such a map.
    marshallOptions: { removeUndefinedValues: true, convertClassInstanceToMap: true },
  });
  const consumed = onConsumed ? { ReturnConsumedCapacity: 'TOTAL' as const } : {};
  const noteConsumed = (
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
    const input = { ...queryInput(tableName(table), queryOptions), ...consumed };
    const result = await retry(() => client.send(new QueryCommand(input)), REPEATABLE);
    noteConsumed('Query', result.ConsumedCapacity);
    const next = result.LastEvaluatedKey?.sk as string | undefined;
    return {
      items: (result.Items ?? []) as Item[],
      ...(next !== undefined && { next }),
      ...(queryOptions.filter && { read: result.ScannedCount ?? 0 }),
    };
  }

  async function getOne(table: string, key: Key): Promise<Item | undefined> {
    const { item, capacityUnits } = await retry(() => getItem(tableName(table), key), REPEATABLE);
    noteConsumed('GetItem', { CapacityUnits: capacityUnits });
    return item;
  }

  /** An idle poll costs this one call. */
  async function getItem(TableName: string, { pk, sk }: Key): Promise<PlainItem> {
    const found = await plainReads?.getItem(TableName, { pk, sk }, { withCapacity: onConsumed !== undefined });
    if (found) return found;
    // The document client's middleware would cost a tenth of the call, so this goes through the low-level client.
    const Key = { pk: { S: pk }, sk: { S: sk } };
    const { Item, ConsumedCapacity } = await raw.send(new GetItemCommand({ TableName, Key, ConsistentRead: true, ...consumed }));
    return { item: Item && (unmarshall(Item) as Item), capacityUnits: ConsumedCapacity?.CapacityUnits ?? 0 };
  }

  async function batchGet(table: string, keys: readonly Key[]): Promise<Item[]> {
    // DynamoDB refuses a batch that names a key twice.
    const distinct = [...new Map(keys.map((key) => [`${key.pk}\n${key.sk}`, key])).values()];
    const pages: Key[][] = [];
    for (let start = 0; start < distinct.length; start += 100) pages.push(distinct.slice(start, start + 100));
    return (await Promise.all(pages.map((page) => batchGetPage(table, page)))).flat();
  }

  async function batchGetPage(table: string, keys: Key[]): Promise<Item[]> {
    const name = tableName(table);
    const items: Item[] = [];
    let pending = keys;
    await retry(async () => {
      const RequestItems = { [name]: { Keys: pending, ConsistentRead: true } };
      const result = await client.send(new BatchGetCommand({ RequestItems, ...consumed }));
      noteConsumed('BatchGetItem', result.ConsumedCapacity);
      items.push(...((result.Responses?.[name] ?? []) as Item[]));
      pending = (result.UnprocessedKeys?.[name]?.Keys ?? []) as Key[];
      if (pending.length > 0) throw new KeysLeft(`DynamoDB left ${pending.length} of ${keys.length} keys unread`);
    }, REPEATABLE);
    return items;
  }

  /** Sends writes with retries. A failed condition is final, even if another write of the transaction met a conflict. */
  const sendWrites = <T>(writes: readonly Write[], send: () => Promise<T>, options: RetryOptions): Promise<T> =>
    retry(
      () =>
        send().catch((error: unknown) => {
          throw conditionFailure(error, writes) ?? error;
        }),
      options,
    );

  return {
    query,
    batchGet,
    get: coalesceReads({ one: getOne, many: batchGet }),
    async transactGet(table, keys) {
      const TransactItems = keys.map((Key) => ({ Get: { TableName: tableName(table), Key } }));
      const result = await retry(() => client.send(new TransactGetCommand({ TransactItems, ...consumed })), REPEATABLE);
      noteConsumed('TransactGetItems', result.ConsumedCapacity);
      const { Responses: responses = [] } = result;
      if (responses.length !== keys.length) throw new Error(`DynamoDB answered ${responses.length} of ${keys.length} keys`);
      return responses.map(({ Item }) => Item as Item | undefined);
    },
    async count(table, pk) {
      let total = 0;
      let start: Record<string, unknown> | undefined;
      do {
        const from = start && { ExclusiveStartKey: start };
        const input = { ...queryInput(tableName(table), { pk }), Select: 'COUNT' as const, ...from, ...consumed };
        const result = await retry(() => client.send(new QueryCommand(input)), REPEATABLE);
        noteConsumed('Query', result.ConsumedCapacity);
        total += result.Count ?? 0;
        start = result.LastEvaluatedKey;
      } while (start);
      return total;
    },
    async write(write) {
      if ('check' in write) throw new Error('a check needs a transaction');
      const input = { ...writeInput(write, tableName), ...consumed };
      const send = async () => {
        if ('put' in write) {
          const result = await client.send(new PutCommand(input as never));
          noteConsumed('PutItem', result.ConsumedCapacity);
          return write.put;
        }
        if ('delete' in write) {
          const result = await client.send(new DeleteCommand(input as never));
          noteConsumed('DeleteItem', result.ConsumedCapacity);
          return undefined;
        }
        const result = await client.send(new UpdateCommand({ ...(input as object), ReturnValues: 'ALL_NEW' } as never));
        noteConsumed('UpdateItem', result.ConsumedCapacity);
        return result.Attributes as Item | undefined;
      };
      return sendWrites([write], send, { repeatable: isRepeatable(write) });
    },
    async transact(writes) {
      if (writes.length === 0) return;
      const TransactItems = writes.map((write) => {
        const input = writeInput(write, tableName) as never;
        if ('put' in write) return { Put: input };
        if ('update' in write) return { Update: input };
        return 'delete' in write ? { Delete: input } : { ConditionCheck: input };
      });
      // An attempt without an answer may have been carried out. The next one has the same token, so that DynamoDB stores it once.
      let token = newId();
      let unanswered = false;
      const send = async () => {
        const result = await client.send(new TransactWriteCommand({ TransactItems, ClientRequestToken: token, ...consumed }));
        noteConsumed('TransactWriteItems', result.ConsumedCapacity);
      };
      const onFault = (fault: Fault) => {
        unanswered ||= fault === 'unanswered';
        if (!unanswered) token = newId();
      };
      await sendWrites(writes, send, { repeatable: !options.withoutTokens, onFault });
    },
    close() {
      plainReads?.close();
      raw.destroy();
    },
  };
}
