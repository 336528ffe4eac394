import type { Key } from '../platform/database/database.ts';
import type { Table } from '../platform/database/table.ts';

/**
 * The usage table: what was used of what is limited. Everything in it expires.
 *
 * | who asks                            | what                                | where                                  | cost                     |
 * | ----------------------------------- | ----------------------------------- | -------------------------------------- | ------------------------ |
 * | rate limits: 1 call of a lease      | calls of a key, user or address in a minute | `RATE#<subject>` `<minute>`    | 1 update for each lease  |
 *
 * A minute of one key is one item. It is written once for each lease, that is at most twenty times for each instance, however high the
 * limit is.
 */
export const usageTable: Table = { name: 'usage', timeToLive: true };

const part = encodeURIComponent;
/** Ten digits hold every minute until the year 20000, and sort as numbers do. */
const padded = (minute: number) => String(minute).padStart(10, '0');

export const rateKey = (subject: string, minute: number): Key => ({ pk: `RATE#${part(subject)}`, sk: padded(minute) });
