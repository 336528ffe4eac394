import { backoffMs } from '../../platform/backoff.ts';
import type { Clock } from '../../platform/clock.ts';
import { ConditionFailed, type Database } from '../../platform/database/database.ts';
import { AppError } from '../../platform/errors.ts';
import { configurationKey, gatewayTable } from '../gateway-table.ts';
import { usdOf, usdText } from '../pricing/pico-usd.ts';
import type { BudgetReference } from '../routing/project-settings.ts';
import { usageTable } from '../usage-table.ts';
import {
  type BudgetCounter,
  counterKey,
  counterOf,
  leaseMinute,
  newCounter,
  returnEndedLeases,
  settleCounter,
  takeFromCounter,
} from './budget-counter.ts';
import { periodOf } from './budget-period.ts';

export interface BudgetPorts {
  database: Database;
  clock: Pick<Clock, 'nowMs' | 'sleep'>;
}

export interface BudgetReservation {
  settle(costPicoUsd: bigint): Promise<void>;
}

/** Each attempt after a refused one means that others changed a budget meanwhile. */
const MAX_ATTEMPTS = 8;
const BACKOFF = { baseMs: 5, capMs: 100 };

/**
 * Takes an amount out of all budgets, or out of none. One budget is one conditional update, which never meets a conflict; several are one
 * transaction. Throws `quota_exceeded` with the numbers of the first budget that has too little.
 */
export async function reserveBudgets(
  ports: BudgetPorts,
  organizationId: string,
  budgets: readonly BudgetReference[],
  amount: bigint,
  leaseMs: number,
): Promise<BudgetReservation> {
  const { database, clock } = ports;
  const nowMs = clock.nowMs();
  const minute = leaseMinute(nowMs, leaseMs);
  let limited = budgets;
  for (let attempt = 0; limited.length > 0; attempt++) {
    const takes = limited.map((budget) => takeFromCounter(counterKey(budget, nowMs), amount, minute));
    try {
      const [only] = takes;
      if (only && takes.length === 1) await database.write(only);
      else await database.transact(takes);
      break;
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
    }
    limited = await prepareCounters(ports, organizationId, limited, amount, nowMs);
    if (attempt === MAX_ATTEMPTS)
      throw new AppError('unavailable', 'too many calls reserve in the same budget; try again', { retryAfterSeconds: 1 });
    if (attempt > 0) await clock.sleep(backoffMs(attempt, BACKOFF));
  }
  const keys = limited.map((budget) => counterKey(budget, nowMs));
  return {
    settle: async (cost) => {
      // Every budget is settled for itself, so that a failure in one leaves the others right.
      const outcomes = await Promise.allSettled(
        keys.map((key) => settleCounter(database, { key, reserved: amount, minute, spent: cost }, clock.nowMs())),
      );
      const failed = outcomes.find((outcome) => outcome.status === 'rejected');
      if (failed) throw failed.reason;
    },
  };
}

/** Makes what is missing and returns what ended leases hold. Resolves to the budgets that still exist; throws if one has too little. */
async function prepareCounters(
  ports: BudgetPorts,
  organizationId: string,
  budgets: readonly BudgetReference[],
  amount: bigint,
  nowMs: number,
): Promise<readonly BudgetReference[]> {
  const { database } = ports;
  const items = await database.batchGet(
    usageTable.name,
    budgets.map((budget) => counterKey(budget, nowMs)),
  );
  const counters = new Map(items.map((item) => [item.pk, counterOf(item)]));
  const existing: BudgetReference[] = [];
  for (const budget of budgets) {
    const counter = counters.get(counterKey(budget, nowMs).pk);
    if (counter === undefined) {
      if (await createCounter(database, organizationId, budget, nowMs)) existing.push(budget);
      continue;
    }
    const current = counter.left < amount ? await returnEndedLeases(database, counter, nowMs) : counter;
    if (current.left < amount) throw budgetRefusal(budget, current, amount, nowMs);
    existing.push(budget);
  }
  return existing;
}

/** Makes the counter of this period with the limit that is stored now. Returns false if the budget was deleted. */
async function createCounter(database: Database, organizationId: string, budget: BudgetReference, nowMs: number): Promise<boolean> {
  const key = configurationKey(organizationId, 'BUDGET', budget.id);
  const stored = await database.get(gatewayTable.name, key);
  if (stored === undefined) return false;
  const limit = String(stored.limit_pico_usd);
  try {
    await database.transact([
      { table: gatewayTable.name, check: key, if: { equals: { limit_pico_usd: limit } } },
      newCounter({ ...budget, limit_pico_usd: BigInt(limit) }, nowMs),
    ]);
  } catch (error) {
    // Another call made it, or the limit was changed: the next attempt shows it.
    if (!(error instanceof ConditionFailed)) throw error;
  }
  return true;
}

/** The refusal of a call for which a budget has too little. The numbers are those of the store. */
function budgetRefusal(budget: BudgetReference, counter: BudgetCounter, amount: bigint, nowMs: number): AppError {
  const { ends_at_ms } = periodOf(budget.period, nowMs);
  const limit = `the ${budget.period}'s budget of ${usdText(counter.limit)} USD for this ${budget.scope.replace('_', ' ')}`;
  const tooLarge = amount > counter.limit;
  const message = tooLarge
    ? `the call may cost ${usdText(amount)} USD, more than ${limit}; ask for fewer output tokens`
    : `${limit} has too little left: ${usdText(counter.spent)} USD spent, ${usdText(counter.reserved)} USD reserved, and the call may cost ${usdText(amount)} USD`;
  return new AppError('quota_exceeded', message, {
    details: {
      reason: tooLarge ? 'larger_than_budget' : 'budget_exceeded',
      budget_id: budget.id,
      scope: budget.scope,
      scope_id: budget.scope_id,
      period: budget.period,
      limit_usd: usdOf(counter.limit),
      spent_usd: usdOf(counter.spent),
      reserved_usd: usdOf(counter.reserved),
      requested_usd: usdOf(amount),
      resets_at: new Date(ends_at_ms).toISOString(),
    },
    retryAfterSeconds: Math.ceil((ends_at_ms - nowMs) / 1_000),
  });
}
