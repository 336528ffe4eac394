import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Cluster } from './cluster/cluster.ts';

/** The first six carry the names other agents of this protocol use, so that dashboards keep working. */
export interface AgentMetrics {
  registry: Registry;
  poll(status: 'success' | 'unchanged' | 'error', seconds: number, nowMs: number): void;
  kubernetesOperation(operation: string, seconds: number): void;
  heartbeatSent(): void;
  reconciled(step: string, status: 'success' | 'failure', seconds: number): void;
  driftCorrected(objects: number): void;
  /** A correction of a field that somebody changes back each time. */
  driftFight(object: string, field: string, manager: string): void;
  deletionsHeld(): void;
  staleAssignment(): void;
  unlistedStacks(count: number): void;
  /** Inventories that are on disk alone, since the API server refuses them. */
  inventoriesBehind(count: number): void;
  workOrder(outcome: WorkOrderOutcome): void;
}

/** How an attempt on a work order ended here. */
export type WorkOrderOutcome = 'succeeded' | 'failed' | 'cancelled' | 'lost' | 'taken';

const FIGHTS_NAMED_MAX = 100;

export function createAgentMetrics(): AgentMetrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: L[]) => new Counter({ name, help, labelNames, registers });
  const seconds = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Histogram({ name, help, labelNames, registers, buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] });

  const polls = counter('brokkr_agent_poll_requests_total', 'Polls of the control plane', ['status']);
  const pollSeconds = seconds('brokkr_agent_poll_duration_seconds', 'Time of a poll', []);
  const operations = counter('brokkr_agent_kubernetes_operations_total', 'Calls to the Kubernetes API', ['operation']);
  const operationSeconds = seconds('brokkr_agent_kubernetes_operation_duration_seconds', 'Time of a call to the Kubernetes API', [
    'operation',
  ]);
  const heartbeats = counter('brokkr_agent_heartbeat_sent_total', 'Heartbeats the control plane accepted', []);
  const lastPoll = new Gauge({
    name: 'brokkr_agent_last_successful_poll_timestamp',
    help: 'Unix time of the last poll that was answered',
    registers,
  });
  const reconciles = counter('brokkr_agent_reconciles_total', 'Attempts on stacks', ['step', 'status']);
  const reconcileSeconds = seconds('brokkr_agent_reconcile_duration_seconds', 'Time of an attempt on a stack, without waiting for health', [
    'step',
  ]);
  const corrections = counter('brokkr_agent_drift_corrections_total', 'Objects put right that others had changed or deleted', []);
  const fights = counter('brokkr_agent_drift_fights_total', 'Corrections of fields that somebody changes back each time', [
    'object',
    'field',
    'manager',
  ]);
  const fighting = new Set<string>();
  const held = counter('brokkr_agent_deletions_held_total', 'Attempts that waited for the confirmation of a mass deletion', []);
  const stale = counter('brokkr_agent_stale_assignments_total', 'Assignments refused because a later sequence was applied', []);
  const orders = counter('brokkr_agent_work_orders_total', 'Attempts on work orders, and claims that other agents were faster with', [
    'outcome',
  ]);
  const unlisted = new Gauge({
    name: 'brokkr_agent_unlisted_stacks',
    help: 'Stacks with objects here that the control plane does not mention',
    registers,
  });

  const behind = new Gauge({
    name: 'brokkr_agent_inventories_behind',
    help: "Inventories that are on the agent's disk alone, since the API server refuses them",
    registers,
  });

  return {
    registry,
    poll(status, duration, nowMs) {
      polls.inc({ status });
      pollSeconds.observe(duration);
      if (status !== 'error') lastPoll.set(Math.floor(nowMs / 1000));
    },
    kubernetesOperation(operation, duration) {
      operations.inc({ operation });
      operationSeconds.observe({ operation }, duration);
    },
    heartbeatSent: () => heartbeats.inc(),
    reconciled(step, status, duration) {
      reconciles.inc({ step, status });
      reconcileSeconds.observe({ step }, duration);
    },
    driftCorrected: (objects) => corrections.inc(objects),
    driftFight(object, field, manager) {
      // Of too many nobody reads the names.
      if (fighting.size < FIGHTS_NAMED_MAX) fighting.add([object, field, manager].join(' '));
      const isNamed = fighting.has([object, field, manager].join(' '));
      fights.inc(isNamed ? { object, field, manager } : { object: 'others', field: '', manager: '' });
    },
    deletionsHeld: () => held.inc(),
    staleAssignment: () => stale.inc(),
    inventoriesBehind: (count) => behind.set(count),
    unlistedStacks: (count) => unlisted.set(count),
    workOrder: (outcome) => orders.inc({ outcome }),
  };
}

/** The same cluster, each call counted and timed. */
export function meteredCluster(cluster: Cluster, metrics: AgentMetrics, monotonicMs: () => number): Cluster {
  const metered = async <T>(operation: string, call: () => Promise<T>): Promise<T> => {
    const startedMs = monotonicMs();
    try {
      return await call();
    } finally {
      metrics.kubernetesOperation(operation, (monotonicMs() - startedMs) / 1000);
    }
  };
  return {
    version: (signal) => metered('version', () => cluster.version(signal)),
    // Answered from a cache nearly always.
    findKind: (apiVersion, kind, options) => cluster.findKind(apiVersion, kind, options),
    find: (ref, signal) => metered('get', () => cluster.find(ref, signal)),
    list: (kind, options) => metered('list', () => cluster.list(kind, options)),
    listMetadata: (of, signal) => metered('list_metadata', () => cluster.listMetadata(of, signal)),
    disown: (ref, options) => metered('disown', () => cluster.disown(ref, options)),
    takeFields: (ref, options) => metered('take_fields', () => cluster.takeFields(ref, options)),
    apply: (manifest, options) => metered(options.dryRun ? 'dry_run' : 'apply', () => cluster.apply(manifest, options)),
    delete: (ref, options) => metered('delete', () => cluster.delete(ref, options)),
    podLog: (pod, signal) => metered('log', () => cluster.podLog(pod, signal)),
    close: () => cluster.close(),
  };
}
