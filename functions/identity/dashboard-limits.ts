import { limitHeaders } from '../../lib/ai/limits/limit-headers.ts';
import type { LimitState } from '../../lib/ai/limits/limits.ts';
import { createRateLimits, rateLimitOf } from '../../lib/ai/limits/rate-limits.ts';
import type { ProjectKeyPrincipal, UserPrincipal } from '../../lib/identity/accounts/account-principals.ts';
import { PLANS, planOf } from '../../lib/identity/accounts/plans.ts';
import { networkOf } from '../../lib/identity/accounts/sessions/tries.ts';
import { findOrganization } from '../../lib/identity/organizations/organization-repository.ts';
import { createBoundedCache } from '../../lib/platform/bounded-cache.ts';
import type { RequestFacts } from '../../lib/platform/http/request-facts.ts';
import { oncePerRuntime } from '../runtime.ts';
import { store } from '../store.ts';

/** Requests a minute of one address without a session. Those of the second kind try passwords and tokens. */
const PER_ADDRESS = 100;
const PER_ADDRESS_TO_AUTH = 20;
const AUTH_PATH = /^\/api(\/v1)?\/auth\//;
/** An upgraded plan is noticed after this time. */
const PLAN_KEPT_MS = 60_000;
const MAX_ORGANIZATIONS = 10_000;

export interface DashboardLimits {
  /** Counts a request against the limit of its user, of its project key, or else of its address, and notes in its answer what remains. */
  count(request: RequestFacts, caller: UserPrincipal | ProjectKeyPrincipal | undefined): Promise<void>;
}

export const dashboardLimits = oncePerRuntime((runtime): DashboardLimits => {
  const { config, clock, log } = runtime;
  if (!config.BROKKR_RATE_LIMITS) return { count: async () => {} };
  const { database } = store(runtime);
  const limits = createRateLimits({ database, clock, log });
  const plans = createBoundedCache<{ limit: number; readAtMs: number }>(MAX_ORGANIZATIONS);

  /** A user has the limit of the plan of his own organization. */
  async function limitOf({ default_organization_id: id }: UserPrincipal): Promise<number> {
    const known = plans.get(id);
    if (known && clock.monotonicMs() - known.readAtMs < PLAN_KEPT_MS) return known.limit;
    const organization = await findOrganization(database, id);
    const limit = organization
      ? (organization.requests_per_minute ?? planOf(organization.plan).requests_per_minute)
      : PLANS.free.requests_per_minute;
    plans.set(id, { limit, readAtMs: clock.monotonicMs() });
    return limit;
  }

  async function subjectOf({ path, ip }: RequestFacts, caller: UserPrincipal | ProjectKeyPrincipal | undefined): Promise<[string, number]> {
    if (caller?.type === 'user') return [`user ${caller.user_id}`, await limitOf(caller)];
    // The same counter as that of the key's inference calls.
    if (caller) return [`key:${caller.key_id}`, caller.requests_per_minute];
    return AUTH_PATH.test(path) ? [`auth ${networkOf(ip)}`, PER_ADDRESS_TO_AUTH] : [`address ${networkOf(ip)}`, PER_ADDRESS];
  }

  return {
    async count(request, caller) {
      const note = (state: LimitState) => void Object.assign(request.answerHeaders, limitHeaders(state));
      const [subject, limit] = await subjectOf(request, caller);
      try {
        note(await limits.admit(subject, limit, { withoutStore: 'open' }));
      } catch (error) {
        const state = rateLimitOf(error);
        if (state) note(state);
        throw error;
      }
    },
  };
});
