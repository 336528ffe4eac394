import { BatchWriteCommand, DeleteCommand, PutCommand, TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { newId } from '../ids.ts';
import type { Connection } from './connection.ts';
import type { Database, Item, Put, Write } from './database.ts';
import { writeInput } from './expressions.ts';
import { conditionFailure, type Fault, isRepeatable, type RetryOptions } from './retry.ts';

/** DynamoDB takes so many puts in one request. Items have at most 400 KB, so that they stay below its 16 MB. */
const PUTS = 25;

/** A busy store leaves puts of a batch undone, and names no error. */
class PutsLeft extends Error {
  override name = 'ThrottlingException';
}

export function documentWrites(connection: Connection): Pick<Database, 'write' | 'putAll' | 'transact'> {
  const { client, retry, tableName, withoutTokens, consumed, noteConsumed } = connection;

  /** Sends writes with retries. A failed condition is final, even if another write of the transaction met a conflict. */
  const sendWrites = <T>(writes: readonly Write[], send: () => Promise<T>, options: RetryOptions): Promise<T> =>
    retry(
      () =>
        send().catch((error: unknown) => {
          throw conditionFailure(error, writes) ?? error;
        }),
      options,
    );

  /** Sends at most 25 puts. Returns those that the store has left undone. */
  async function putBatch(puts: readonly Put[]): Promise<Put[]> {
    const byTable = Object.entries(Object.groupBy(puts, ({ table }) => tableName(table)));
    const RequestItems = Object.fromEntries(
      byTable.map(([name, own = []]) => [name, own.map(({ put }) => ({ PutRequest: { Item: put } }))]),
    );
    const result = await client.send(new BatchWriteCommand({ RequestItems, ...consumed }));
    noteConsumed('BatchWriteItem', result.ConsumedCapacity);
    const left = new Set<string>();
    for (const [name, requests] of Object.entries(result.UnprocessedItems ?? {}))
      for (const { PutRequest } of requests) left.add(`${name}\n${PutRequest?.Item?.pk}\n${PutRequest?.Item?.sk}`);
    if (left.size === puts.length) throw new PutsLeft(`DynamoDB left all ${puts.length} puts undone`);
    return left.size === 0 ? [] : puts.filter(({ table, put }) => left.has(`${tableName(table)}\n${put.pk}\n${put.sk}`));
  }

  return {
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
    async putAll(puts) {
      // DynamoDB refuses a batch that names a key twice.
      const distinct = [...new Map(puts.map((one) => [`${one.table}\n${one.put.pk}\n${one.put.sk}`, one])).values()];
      for (let start = 0; start < distinct.length; start += PUTS) {
        let pending = distinct.slice(start, start + PUTS);
        // Only a request that stores nothing is a fault.
        while (pending.length > 0) pending = await retry(() => putBatch(pending), { repeatable: true });
      }
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
      await sendWrites(writes, send, { repeatable: !withoutTokens, onFault });
    },
  };
}
