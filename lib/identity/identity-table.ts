import type { Key } from '../platform/database/database.ts';
import type { Table } from '../platform/database/table.ts';

/**
 * The identity table: principals and their keys.
 *
 * | who asks                         | what                     | where                              | cost         |
 * | -------------------------------- | ------------------------ | ---------------------------------- | ------------ |
 * | every call not in the key cache  | a key's principal        | `CREDENTIAL#<hash>` `CREDENTIAL`   | 1 read unit  |
 * | rotation, deletion               | a principal's live key   | `PRINCIPAL#<id>` `CREDENTIAL`      | 1            |
 * | first start                      | was it set up?           | `BOOTSTRAP` `BOOTSTRAP`            | 1            |
 * | generators: get                  | one                      | `GENERATORS` `<id>`                | 1            |
 * | generators: list                 | all, by id               | `GENERATORS`                       | 1 query for each 200 |
 * | generators: create, rename       | is the name free?        | `NAME#GENERATOR` `<name>`          | in the write |
 * | users, organizations, projects   | see accounts-table.ts    |                                    |              |
 *
 * A generator is one item in the list of generators, which serves both the read by id and the list. The sort keys are random
 * ids, so DynamoDB splits the partition by sort key if it grows hot (docs/decisions/0011-lists.md).
 */
export const identityTable: Table = { name: 'identity', timeToLive: true };

export const credentialKey = (hash: string): Key => ({ pk: `CREDENTIAL#${hash}`, sk: 'CREDENTIAL' });
export const principalKey = (id: string): Key => ({ pk: `PRINCIPAL#${id}`, sk: 'CREDENTIAL' });
export const bootstrapKey: Key = { pk: 'BOOTSTRAP', sk: 'BOOTSTRAP' };

export const GENERATOR_LIST_PK = 'GENERATORS';
export const generatorKey = (id: string): Key => ({ pk: GENERATOR_LIST_PK, sk: id });
export const generatorNameKey = (name: string): Key => ({ pk: 'NAME#GENERATOR', sk: name });
