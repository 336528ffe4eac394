import { createBoundedCache } from '../../../platform/bounded-cache.ts';
import { eachBounded } from '../../../platform/each-bounded.ts';
import type { ProviderHealth, RoutingPlan } from '../plan-types.ts';
import { mayProbe } from './circuit.ts';
import type { HealthSample } from './health-sample.ts';
import { claimProbe, readHealth, type ShareHealthPorts, storeSamples } from './share-health.ts';
import { newTrackedOrganization, type TrackedOrganization, track, trackedProvider, viewOf } from './tracked-provider.ts';

/** What this instance knows of its callers' providers. It shares it with all other instances through the store. */
export interface HealthMonitor {
  /** Notes what an attempt says. Waits for nothing. */
  observe(sample: HealthSample): void;
  /** The health of an organization's providers, two seconds old at the most if it is in use. Waits for nothing; a new one is read meanwhile. */
  healthOf(organizationId: string): ReadonlyMap<string, ProviderHealth>;
  /** Takes the right to try from the provider that a call asks first, so that one call alone tries. */
  planned(organizationId: string, plan: RoutingPlan): void;
  /** Stores everything that was noted. What can't be stored is kept for the next time. */
  flush(): Promise<void>;
  /** The same if it is due, for instances that are frozen after an answer. */
  flushIfDue(): Promise<void>;
  close(): Promise<void>;
}

const MAX_ORGANIZATIONS = 5_000;
const READ_AFTER_MS = 1_500;
const VIEW_AFTER_MS = 500;
const FLUSH_AFTER_MS = 2_000;
const WRITES_AT_ONCE = 8;

export function createHealthMonitor(ports: ShareHealthPorts): HealthMonitor {
  const { clock } = ports;
  const organizations = createBoundedCache<TrackedOrganization>(MAX_ORGANIZATIONS);
  /** The organizations with samples that aren't stored. */
  const waiting = new Set<TrackedOrganization>();
  const stop = new AbortController();
  let isScheduled = false;
  let lastFlushMs = clock.monotonicMs();

  const organizationOf = (id: string): TrackedOrganization => {
    const known = organizations.get(id) ?? newTrackedOrganization(id);
    organizations.set(id, known);
    return known;
  };

  function rebuildView(organization: TrackedOrganization): void {
    const now = clock.nowMs();
    const view = new Map<string, ProviderHealth>();
    for (const [id, provider] of organization.providers) {
      const { stored, probing, claiming, pending, sending } = provider;
      // Samples that the store doesn't know yet go first.
      const isIdle = !probing && !claiming && !pending && !sending;
      if (isIdle && mayProbe(stored.circuit, now)) void claimProbe(ports, organization, id);
      view.set(id, viewOf(provider, now));
    }
    Object.assign(organization, { view, viewAtMs: clock.monotonicMs(), viewIsStale: false });
  }

  let running = Promise.resolve();
  /** One after the other, so that the last one ends after all that was noted before it. */
  const flush = (): Promise<void> => (running = running.then(flushOnce));
  async function flushOnce(): Promise<void> {
    lastFlushMs = clock.monotonicMs();
    const due = [...waiting];
    waiting.clear();
    const work = due.flatMap((organization) => [...organization.providers.keys()].map((providerId) => ({ organization, providerId })));
    await eachBounded(work, WRITES_AT_ONCE, ({ organization, providerId }) => storeSamples(ports, organization, providerId));
    for (const organization of due) if ([...organization.providers.values()].some(({ pending }) => pending)) flushLater(organization);
  }

  function flushLater(organization: TrackedOrganization): void {
    waiting.add(organization);
    if (isScheduled || stop.signal.aborted) return;
    isScheduled = true;
    const flushNow = () => {
      isScheduled = false;
      void flush();
    };
    // A monitor that is closed flushes by itself.
    clock.sleep(FLUSH_AFTER_MS, stop.signal).then(flushNow, () => {});
  }

  return {
    observe(sample) {
      if (sample.result === 'ignored') return;
      const organization = organizationOf(sample.organization_id);
      const hasTurned = track(trackedProvider(organization, sample.provider_id), sample);
      flushLater(organization);
      if (!hasTurned) return;
      organization.viewIsStale = true;
      void flush();
    },
    healthOf(id) {
      const organization = organizationOf(id);
      const now = clock.monotonicMs();
      if (!organization.reading && now - organization.readAtMs >= READ_AFTER_MS) void readHealth(ports, organization);
      if (organization.viewIsStale || now - organization.viewAtMs >= VIEW_AFTER_MS) rebuildView(organization);
      return organization.view;
    },
    planned(id, { attempts: [first] }) {
      const organization = organizations.get(id);
      const provider = first && organization?.providers.get(first.provider.provider_id);
      if (!organization || !provider?.probing) return;
      provider.probing = false;
      organization.viewIsStale = true;
    },
    flush,
    async flushIfDue() {
      if (waiting.size > 0 && clock.monotonicMs() - lastFlushMs >= FLUSH_AFTER_MS) await flush();
    },
    async close() {
      stop.abort();
      await flush();
    },
  };
}
