import { ConditionFailed, type Database, type Item, type Key, type Write } from '../../platform/database/database.ts';
import type { BudgetReference } from '../routing/project-settings.ts';
import { budgetKey, usageTable } from '../usage-table.ts';
import { periodOf } from './budget-period.ts';

/**
 * What was spent and reserved of a budget in one period, in 10⁻¹² US dollars. `left` is the limit without both; the store compares it with
 * what a call wants, in the update that takes it. Each reservation also stands in the sum of its lease, one attribute for all leases that end
 * in the same minute. What a lease's sum holds after that minute was reserved by calls that never ended, and returns to the budget.
 */
export interface BudgetCounter {
  key: Key;
  limit: bigint;
  spent: bigint;
  reserved: bigint;
  left: bigint;
  /** The sums of leases, by the minute in which they end. */
  leases: ReadonlyMap<number, bigint>;
}

const MINUTE_MS = 60_000;
/** A counter is kept this long after its period, for calls that are settled late. */
const KEPT_DAYS = 7;
const DAY_SECONDS = 86_400;
const LEASE = /^lease_(\d+)$/;

export const leaseMinute = (nowMs: number, leaseMs: number): number => Math.ceil((nowMs + leaseMs) / MINUTE_MS);
const leaseName = (minute: number) => `lease_${minute}`;

export const counterKey = ({ id, period }: Pick<BudgetReference, 'id' | 'period'>, nowMs: number): Key =>
  budgetKey(id, periodOf(period, nowMs).id);

export function counterOf(item: Item): BudgetCounter {
  const leases = Object.entries(item).flatMap(([name, value]): [number, bigint][] => {
    const minute = LEASE.exec(name)?.[1];
    return minute === undefined ? [] : [[Number(minute), picoOf(value)]];
  });
  const { pk, sk, limit, spent, reserved, left } = item;
  return {
    key: { pk, sk },
    limit: picoOf(limit),
    spent: picoOf(spent),
    reserved: picoOf(reserved),
    left: picoOf(left),
    leases: new Map(leases),
  };
}

/** The store returns large whole numbers as bigint, all others as number. */
function picoOf(value: unknown): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return BigInt(value);
  throw new Error('a budget counter holds something that is no number');
}

/** The counter of a new period, unless another caller made it. */
export const newCounter = ({ period, id, limit_pico_usd: limit }: BudgetReference, nowMs: number): Write => ({
  table: usageTable.name,
  put: {
    ...counterKey({ id, period }, nowMs),
    limit,
    left: limit,
    spent: 0,
    reserved: 0,
    expires_at: Math.floor(periodOf(period, nowMs).ends_at_ms / 1_000) + KEPT_DAYS * DAY_SECONDS,
  },
  if: { exists: false },
});

/** Takes an amount out of a budget for as long as the lease, if so much is left. */
export const takeFromCounter = (key: Key, amount: bigint, minute: number): Write => ({
  table: usageTable.name,
  update: key,
  add: { left: -amount, reserved: amount, [leaseName(minute)]: amount },
  if: { atLeast: { left: amount } },
});

/** Books what a call really cost in place of what it had reserved. */
export async function settleCounter(database: Database, settlement: Settlement, nowMs: number): Promise<void> {
  const { key, reserved, minute, spent } = settlement;
  const lease = leaseName(minute);
  const inLease = { left: reserved - spent, reserved: -reserved, spent, [lease]: -reserved };
  const item =
    (await update(database, { key, add: inLease, if: { atLeast: { [lease]: reserved } } })) ??
    // The lease had ended, and what was reserved is back already. Without the item the budget was deleted.
    (await update(database, { key, add: { left: -spent, spent }, if: { exists: true } }));
  if (item) await returnEndedLeases(database, counterOf(item), nowMs);
}

export interface Settlement {
  key: Key;
  reserved: bigint;
  /** The minute in which the lease ends. */
  minute: number;
  spent: bigint;
}

/**
 * Returns what ended leases still hold, and forgets them, so that a counter stays small. Of several callers at once only one returns it.
 * Resolves to the counter afterwards.
 */
export async function returnEndedLeases(database: Database, counter: BudgetCounter, nowMs: number): Promise<BudgetCounter> {
  const ended = [...counter.leases]
    .filter(([minute]) => minute * MINUTE_MS <= nowMs)
    .map(([minute, amount]) => ({ name: leaseName(minute), amount }));
  if (ended.length === 0) return counter;
  const sum = ended.reduce((total, { amount }) => total + amount, 0n);
  const item = await update(database, {
    key: counter.key,
    add: { left: sum, reserved: -sum },
    remove: ended.map(({ name }) => name),
    if: { equals: Object.fromEntries(ended.map(({ name, amount }) => [name, amount])) },
  });
  return item ? counterOf(item) : counter;
}

/** Undefined if the condition doesn't hold. */
function update(database: Database, { key, ...change }: { key: Key } & Pick<Extract<Write, { update: Key }>, 'add' | 'remove' | 'if'>) {
  return database.write({ table: usageTable.name, update: key, ...change }).catch((error: unknown) => {
    if (!(error instanceof ConditionFailed)) throw error;
    return undefined;
  });
}
