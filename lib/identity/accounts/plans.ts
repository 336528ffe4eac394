export interface Plan {
  name: string;
  /** For each API key, and for each user of the dashboard. */
  requests_per_minute: number;
  /** Of all keys of the organization together; null for as many as one likes. */
  requests_per_month: number | null;
}

/** The plans of organizations. An enterprise organization may have a limit of its own. */
export const PLANS = {
  free: { name: 'Free', requests_per_minute: 100, requests_per_month: 10_000 },
  pro: { name: 'Pro', requests_per_minute: 1_000, requests_per_month: 100_000 },
  business: { name: 'Business', requests_per_minute: 10_000, requests_per_month: 1_000_000 },
  enterprise: { name: 'Enterprise', requests_per_minute: 100_000, requests_per_month: null },
} as const satisfies Record<string, Plan>;
export type PlanId = keyof typeof PLANS;

/** A plan that this version doesn't know counts as the smallest. */
export const planOf = (id: string): Plan => Object.entries(PLANS).find(([name]) => name === id)?.[1] ?? PLANS.free;
