import type { Key } from '../platform/database/database.ts';
import type { Table } from '../platform/database/table.ts';

/**
 * The identity table: who may call.
 *
 * | who asks                         | what                     | where                              | cost         |
 * | -------------------------------- | ------------------------ | ---------------------------------- | ------------ |
 * | every call not in the key cache  | a key's principal        | `CREDENTIAL#<hash>` `CREDENTIAL`   | 1 read unit  |
 * | rotation, deletion               | a principal's live key   | `PRINCIPAL#<id>` `CREDENTIAL`      | 1            |
 * | first start                      | was it set up?           | `BOOTSTRAP` `BOOTSTRAP`            | 1            |
 * | generators: get                  | one                      | `GENERATORS#<shard>` `<id>`        | 1            |
 * | generators: list                 | all                      | `GENERATORS#0..f`                  | 16 queries   |
 * | generators: create, rename       | is the name free?        | `NAME#GENERATOR` `<name>`          | in the write |
 *
 * An entity's home is one of sixteen list partitions, chosen by the first digit of its random id: one item serves both the read
 * by id and the list, and no partition takes all the traffic.
 */
export const identityTable: Table = { name: 'identity', timeToLive: false };

export const HOME_SHARDS = [...'0123456789abcdef'] as const;
const shardOf = (id: string) => id[0]?.toLowerCase() ?? '0';

export const credentialKey = (hash: string): Key => ({ pk: `CREDENTIAL#${hash}`, sk: 'CREDENTIAL' });
export const principalKey = (id: string): Key => ({ pk: `PRINCIPAL#${id}`, sk: 'CREDENTIAL' });
export const bootstrapKey: Key = { pk: 'BOOTSTRAP', sk: 'BOOTSTRAP' };

export const generatorKey = (id: string): Key => ({ pk: `GENERATORS#${shardOf(id)}`, sk: id });
export const generatorShards = HOME_SHARDS.map((shard) => `GENERATORS#${shard}`);
export const generatorNameKey = (name: string): Key => ({ pk: 'NAME#GENERATOR', sk: name });
