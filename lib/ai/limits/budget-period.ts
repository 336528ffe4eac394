import type { BudgetReference } from '../routing/project-settings.ts';

export interface BudgetPeriod {
  /** Its first day: `2026-01-05`. */
  id: string;
  /** The next one begins at this time. */
  ends_at_ms: number;
}

const DAY_MS = 86_400_000;

/** The day, week (from Monday on) or month in which a time lies, UTC. */
export function periodOf(period: BudgetReference['period'], nowMs: number): BudgetPeriod {
  const now = new Date(nowMs);
  const day = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate());
  const idOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  switch (period) {
    case 'day':
      return { id: idOf(day), ends_at_ms: day + DAY_MS };
    case 'week': {
      const monday = day - ((now.getUTCDay() + 6) % 7) * DAY_MS;
      return { id: idOf(monday), ends_at_ms: monday + 7 * DAY_MS };
    }
    case 'month':
      return {
        id: idOf(Date.UTC(now.getUTCFullYear(), now.getUTCMonth())),
        ends_at_ms: Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1),
      };
  }
}
