export interface Plan {
  name: string;
  /** For each API key, and for each user of the dashboard. */
  requests_per_minute: number;
}

/** The plans of organizations. An enterprise organization may have a limit of its own. */
export const PLANS = {
  free: { name: 'Free', requests_per_minute: 100 },
  pro: { name: 'Pro', requests_per_minute: 1_000 },
  business: { name: 'Business', requests_per_minute: 10_000 },
  enterprise: { name: 'Enterprise', requests_per_minute: 100_000 },
} as const satisfies Record<string, Plan>;
export type PlanId = keyof typeof PLANS;

/** A plan that this version doesn't know counts as the smallest. */
export const planOf = (id: string): Plan => Object.entries(PLANS).find(([name]) => name === id)?.[1] ?? PLANS.free;
