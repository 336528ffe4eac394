import * as z from 'zod';
import type { BudgetReference } from '../project-settings.ts';

/** The part of a stored budget that a call needs. What is spent and reserved stands in the usage table. */
export const StoredBudgetReference = z.object({
  id: z.string(),
  scope: z.enum(['organization', 'project', 'api_key']),
  scope_id: z.string(),
  period: z.enum(['day', 'week', 'month']),
  /** Digits: a limit may be larger than an exact number of JavaScript. */
  limit_pico_usd: z.string().regex(/^\d{1,30}$/),
});

export const usableBudget = ({ limit_pico_usd, ...budget }: z.infer<typeof StoredBudgetReference>): BudgetReference => ({
  ...budget,
  limit_pico_usd: BigInt(limit_pico_usd),
});
