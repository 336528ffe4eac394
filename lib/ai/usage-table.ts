import type { Key } from '../platform/database/database.ts';
import type { Table } from '../platform/database/table.ts';

/**
 * The usage table: what was used of what is limited. Everything in it expires.
 *
 * | who asks                            | what                                | where                                  | cost                     |
 * | ----------------------------------- | ----------------------------------- | -------------------------------------- | ------------------------ |
 * | rate limits: 1 call of a lease      | calls of a key, user or address in a minute | `RATE#<subject>` `<minute>`    | 1 update for each lease  |
 * | a call with a limit of tokens       | tokens of a key in a minute         | `TOKENS#<key>` `<minute>`              | 1 update, 1 to settle    |
 * | a call with budgets                 | money left in a budget's period     | `BUDGET#<budget>` `<period>`           | 1 update, 1 to settle; 2 and 1 for each of several |
 * | a refused call; budgets: get, list  | the same                            | `BUDGET#<budget>` `<period>`           | 1                        |
 *
 * A budget's period is one item, because only one item can say in one update what is left. It takes 1,000 updates a second, that is 500 calls
 * a second (docs/decisions/0019-budgets.md).
 * A minute of one key is one item. It is written once for each lease, that is at most twenty times for each instance, however high the
 * limit is.
 */
export const usageTable: Table = { name: 'usage', timeToLive: true };

const part = encodeURIComponent;
/** Ten digits hold every minute until the year 20000, and sort as numbers do. */
const padded = (minute: number) => String(minute).padStart(10, '0');

export const rateKey = (subject: string, minute: number): Key => ({ pk: `RATE#${part(subject)}`, sk: padded(minute) });
export const tokensKey = (keyId: string, minute: number): Key => ({ pk: `TOKENS#${keyId}`, sk: padded(minute) });
/** `period` is the first day of it, for example `2026-01-05`. */
export const budgetKey = (budgetId: string, period: string): Key => ({ pk: `BUDGET#${budgetId}`, sk: period });
