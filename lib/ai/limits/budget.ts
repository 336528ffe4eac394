import * as z from 'zod';
import { Ulid } from '../../identity/accounts/account-schemas.ts';
import { usdOf } from '../pricing/pico-usd.ts';
import type { BudgetCounter } from './budget-counter.ts';
import { periodOf } from './budget-period.ts';

/** The largest limit that a budget can have: far above any real one, and exact in the store. */
const LARGEST_USD = 1_000_000_000;
const LimitUsd = z.number().min(0).max(LARGEST_USD).describe('US dollars, with at most twelve decimals');
const Scope = z.enum(['organization', 'project', 'api_key']);
const Period = z.enum(['day', 'week', 'month']).describe('From midnight, Monday, or the first of the month on, UTC');

export const NewBudget = z.strictObject({ scope: Scope, scope_id: Ulid, period: Period, limit_usd: LimitUsd }).meta({ id: 'NewBudget' });
export type NewBudget = z.infer<typeof NewBudget>;
export const BudgetChange = z.strictObject({ limit_usd: LimitUsd }).meta({ id: 'BudgetChange' });

/** A budget as its owners see it. */
export const Budget = z
  .object({
    id: Ulid,
    scope: Scope,
    scope_id: Ulid,
    period: Period,
    limit_usd: z.number(),
    spent_usd: z.number(),
    reserved_usd: z.number().describe('What calls that are under way may cost at most'),
    resets_at: z.iso.datetime(),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'Budget' });
export type Budget = z.infer<typeof Budget>;

export const StoredBudget = Budget.pick({ id: true, scope: true, scope_id: true, period: true, created_at: true }).extend({
  organization_id: z.string(),
  /** Digits: a limit may be larger than an exact number of JavaScript. */
  limit_pico_usd: z.string().regex(/^\d{1,30}$/),
});
export type StoredBudget = z.infer<typeof StoredBudget>;

/** The budget with what its counter of this period holds; without a counter nothing was spent yet. */
export function publicBudget(stored: StoredBudget, counter: BudgetCounter | undefined, nowMs: number): Budget {
  const { id, scope, scope_id, period, limit_pico_usd, created_at } = stored;
  return {
    id,
    scope,
    scope_id,
    period,
    limit_usd: usdOf(BigInt(limit_pico_usd)),
    spent_usd: usdOf(counter?.spent ?? 0n),
    reserved_usd: usdOf(counter?.reserved ?? 0n),
    resets_at: new Date(periodOf(period, nowMs).ends_at_ms).toISOString(),
    created_at,
  };
}
