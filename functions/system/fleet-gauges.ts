import { listAgentRecords } from '../../lib/fleet/agents/agent-repository.ts';
import { ACTIVE } from '../../lib/fleet/agents/agent-rules.ts';
import { listStacks } from '../../lib/fleet/stacks/stack-repository.ts';
import { adminHashesOf } from '../../lib/identity/authenticator.ts';
import { DEVELOPMENT_PAK_HASH } from '../../lib/identity/pak.ts';
import type { Metrics } from '../../lib/platform/metrics.ts';
import type { Runtime } from '../runtime.ts';
import { store } from '../store.ts';

/** The store is read at most this often, and waited for no longer than that: a scrape must not fail because the store does. */
const REFRESH_MS = 30_000;
const BUDGET_MS = 4_000;
/** More series of one metric than this help nobody. */
const HEARTBEAT_SERIES = 1_000;

interface Snapshot {
  activeAgents: number;
  stacks: number;
  deploymentObjects: number;
  /** Those silent for longest. */
  heartbeats: readonly { agent_id: string; agent_name: string; at: number }[];
}
interface Known {
  snapshot: Snapshot | undefined;
  next: number;
}
const known = new WeakMap<Runtime, Known>();

/** Sets the gauges that tell of the fleet, from the store or from what it said half a minute ago. Never throws. */
export async function refreshGauges(runtime: Runtime, metrics: Metrics): Promise<void> {
  const { config, clock, log } = runtime;
  metrics.developmentKeyInUse.set(adminHashesOf(config).includes(DEVELOPMENT_PAK_HASH) ? 1 : 0);
  const state = known.get(runtime) ?? { snapshot: undefined, next: 0 };
  known.set(runtime, state);
  if (clock.monotonicMs() >= state.next) {
    state.next = clock.monotonicMs() + REFRESH_MS;
    const done = new AbortController();
    const reading = readFleet(runtime)
      .then((snapshot) => {
        state.snapshot = snapshot;
      })
      .catch((error: unknown) => log.warn('gauges_stale', { error }))
      .finally(() => done.abort());
    await Promise.race([reading, clock.sleep(BUDGET_MS, done.signal).catch(() => {})]);
  }
  if (!state.snapshot) return;
  metrics.activeAgents.set(state.snapshot.activeAgents);
  metrics.stacks.set(state.snapshot.stacks);
  metrics.deploymentObjects.set(state.snapshot.deploymentObjects);
  metrics.heartbeatAge.reset();
  for (const { at, ...labels } of state.snapshot.heartbeats) {
    metrics.heartbeatAge.set(labels, Math.max(0, (clock.nowMs() - at) / 1_000));
  }
}

async function readFleet(runtime: Runtime): Promise<Snapshot> {
  const { database } = store(runtime);
  const [agents, stacks] = await Promise.all([listAgentRecords(database), listStacks(database)]);
  return {
    activeAgents: agents.filter(({ status }) => status === ACTIVE).length,
    stacks: stacks.length,
    deploymentObjects: stacks.reduce((sum, stack) => sum + stack.object_count, 0),
    heartbeats: agents
      .flatMap(({ id, name, last_heartbeat }) =>
        last_heartbeat ? [{ agent_id: id, agent_name: name, at: Date.parse(last_heartbeat) }] : [],
      )
      .sort((a, b) => a.at - b.at)
      .slice(0, HEARTBEAT_SERIES),
  };
}
