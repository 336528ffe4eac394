import { type FleetSummary, fleetSummary } from '../../lib/fleet/fleet-summary.ts';
import { adminHashesOf } from '../../lib/identity/authenticator.ts';
import { DEVELOPMENT_PAK_HASH } from '../../lib/identity/pak.ts';
import type { Metrics } from '../../lib/platform/metrics.ts';
import type { Runtime } from '../runtime.ts';
import { store } from '../store.ts';

/** A process reads the figures at most this often. */
const READ_INTERVAL_MS = 5_000;
/** A scrape waits for the figures at most this long, so that it doesn't fail with the store. */
const BUDGET_MS = 4_000;

interface Known {
  summary: FleetSummary | undefined;
  next: number;
}
const known = new WeakMap<Runtime, Known>();

/** Sets the fleet's gauges from the store, or from the last figures if the store doesn't answer. Never throws. */
export async function refreshGauges(runtime: Runtime, metrics: Metrics): Promise<void> {
  const { config, clock, log } = runtime;
  metrics.developmentKeyInUse.set(adminHashesOf(config).includes(DEVELOPMENT_PAK_HASH) ? 1 : 0);
  const state = known.get(runtime) ?? { summary: undefined, next: 0 };
  known.set(runtime, state);
  if (clock.monotonicMs() >= state.next) {
    state.next = clock.monotonicMs() + READ_INTERVAL_MS;
    const done = new AbortController();
    const ask = async () => fleetSummary({ database: store(runtime).database, clock });
    const reading = ask()
      .then((summary) => {
        state.summary = summary ?? state.summary;
      })
      .catch((error: unknown) => log.warn('gauges_stale', { error }))
      .finally(() => done.abort());
    await Promise.race([reading, clock.sleep(BUDGET_MS, done.signal).catch(() => {})]);
  }
  if (!state.summary) return;
  metrics.activeAgents.set(state.summary.active_agents);
  metrics.stacks.set(state.summary.stacks);
  metrics.deploymentObjects.set(state.summary.deployment_objects);
  metrics.heartbeatAge.reset();
  for (const { at, ...labels } of state.summary.heartbeats) {
    metrics.heartbeatAge.set(labels, Math.max(0, (clock.nowMs() - at) / 1_000));
  }
}
