import { DeleteCommand, PutCommand, TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { newId } from '../ids.ts';
import type { Connection } from './connection.ts';
import type { Database, Item, Write } from './database.ts';
import { writeInput } from './expressions.ts';
import { conditionFailure, type Fault, isRepeatable, type RetryOptions } from './retry.ts';

export function documentWrites(connection: Connection): Pick<Database, 'write' | 'transact'> {
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
