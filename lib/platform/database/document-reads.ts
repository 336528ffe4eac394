import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { BatchGetCommand, QueryCommand, TransactGetCommand } from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { coalesceReads } from './coalesced-reads.ts';
import type { Connection } from './connection.ts';
import type { Database, Item, Key, QueryOptions } from './database.ts';
import { queryInput } from './expressions.ts';
import type { PlainItem } from './plain-reads.ts';

/** A busy store leaves the keys of a batch unread, and names no error. */
class KeysLeft extends Error {
  override name = 'ThrottlingException';
}
const REPEATABLE = { repeatable: true };

type Reads = Pick<Database, 'get' | 'batchGet' | 'query' | 'transactGet' | 'count'>;

export function documentReads(connection: Connection): Reads {
  const { client, raw, retry, tableName, plainReads, consumed, noteConsumed } = connection;

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
    const found = await plainReads?.getItem(TableName, { pk, sk }, { withCapacity: 'ReturnConsumedCapacity' in consumed });
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
    const items: Item[] = [];
    let pending = keys;
    // An answer is at most 16 MB, so a batch of large items takes several reads. Only a read that returns nothing is a fault.
    while (pending.length > 0) {
      const { found, left } = await retry(() => readBatch(tableName(table), pending), REPEATABLE);
      items.push(...found);
      pending = left;
    }
    return items;
  }

  async function readBatch(table: string, Keys: Key[]): Promise<{ found: Item[]; left: Key[] }> {
    const result = await client.send(new BatchGetCommand({ RequestItems: { [table]: { Keys, ConsistentRead: true } }, ...consumed }));
    noteConsumed('BatchGetItem', result.ConsumedCapacity);
    const left = (result.UnprocessedKeys?.[table]?.Keys ?? []) as Key[];
    if (left.length === Keys.length) throw new KeysLeft(`DynamoDB left all ${Keys.length} keys unread`);
    return { found: (result.Responses?.[table] ?? []) as Item[], left };
  }

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
  };
}
