import { afterEach } from '@jest/globals';
import { type Agent, createClusterAgent } from '../../agent/agent.ts';
import type { Cluster, Manifest } from '../../agent/cluster/cluster.ts';
import { createMemoryCluster, type MemoryCluster } from '../../agent/cluster/memory/memory-cluster.ts';
import type { AgentConfig } from '../../agent/config.ts';
import type { ControlPlane } from '../../agent/control-plane/control-plane.ts';
import { createMemoryFiles, type StateFiles } from '../../agent/state/state-files.ts';
import { type Log, silentLog } from '../../lib/platform/log.ts';
import { AGENT_NAME, CLUSTER_NAME, createModelControlPlane, type ModelControlPlane } from './model-control-plane.ts';
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts';

export const TEST_CONFIG: AgentConfig = {
  brokerUrl: 'http://control-plane.test',
  pak: 'brokkr_BRtest_test',
  agentName: AGENT_NAME,
  clusterName: CLUSTER_NAME,
  pollingIntervalMs: 10_000,
  maxRetries: 3,
  kubeconfigPath: undefined,
  cluster: 'memory',
  healthPort: 0,
  watchNamespace: undefined,
  inventoryNamespace: 'default',
  generatorIds: [],
  stateDir: 'unused',
  forceConflicts: true,
  applyParallelism: 4,
  stackParallelism: 4,
  workOrderParallelism: 4,
  workOrderLeaseSeconds: 60,
  driftIntervalMs: 300_000,
  healthTimeoutMs: 60_000,
  massDeletion: 'hold',
  logLevel: 'error',
};

const running = new Set<{ agent: Agent; clock: VirtualClock }>();

/** Also after an assertion that failed. An agent whose ports are dead never ends: nobody waits for it. */
afterEach(async () => {
  const ending = [...running];
  running.clear();
  const ended = Promise.all(ending.map(({ agent }) => agent.stop()));
  const turns = async () => {
    for (let turn = 0; turn < 20; turn += 1) for (const { clock } of ending) await clock.flush();
  };
  await Promise.race([ended, turns()]);
});

/** A control plane, a cluster, a disk and the time: what is left when an agent dies. Its agents stop when the test ends. */
export interface AgentWorld {
  clock: VirtualClock;
  cluster: MemoryCluster;
  plane: ModelControlPlane;
  files: StateFiles;
  /** Another agent on the same cluster, disk and time. */
  create(over?: Partial<AgentConfig>, ports?: { cluster?: Cluster; controlPlane?: ControlPlane; files?: StateFiles; log?: Log }): Agent;
  /** Started, and at rest. */
  start(...how: Parameters<AgentWorld['create']>): Promise<Agent>;
  /** Lets everything happen that is due, retries included; health deadlines and intervals beyond that are the test's to pass. */
  settle(agent: Agent): Promise<void>;
  /** A poll and all that follows from it. */
  cycle(agent: Agent): Promise<void>;
  /** `Kind/namespace/name` of what stacks brought, without the agents' own bookkeeping. */
  objects(): string[];
  data(name: string, namespace?: string): Promise<unknown>;
  statuses(): string[];
}

export function createAgentWorld({
  plane = createModelControlPlane(),
  cluster,
  clock = createVirtualClock(),
}: {
  plane?: ModelControlPlane;
  cluster?: MemoryCluster;
  clock?: VirtualClock;
} = {}): AgentWorld {
  const files = createMemoryFiles();
  const memory = cluster ?? createMemoryCluster({ clock, namespaces: ['default', 'shop'] });
  const world: AgentWorld = {
    clock,
    cluster: memory,
    plane,
    files,
    create: (over = {}, ports = {}) => {
      const agent = createClusterAgent({
        config: { ...TEST_CONFIG, ...over },
        cluster: memory,
        controlPlane: plane,
        files,
        clock,
        random: () => 0.5,
        log: silentLog,
        ...ports,
      });
      running.add({ agent, clock });
      return agent;
    },
    async start(...how) {
      const agent = world.create(...how);
      await agent.start();
      await world.settle(agent);
      return agent;
    },
    async settle(agent) {
      let settled = false;
      void agent.settled().then(() => {
        settled = true;
      });
      await clock.flush();
      for (let turn = 0; !settled; turn += 1) {
        if (turn > 2_000 || !(await clock.next())) throw new Error('the agent does not come to rest');
      }
    },
    async cycle(agent) {
      agent.wake();
      await world.settle(agent);
    },
    objects: () =>
      memory
        .all()
        .filter(({ metadata }) => metadata.labels?.['k8s.brokkr.io/stack'] !== undefined)
        .map(({ kind, metadata: { namespace, name } }) => [kind, namespace, name].filter(Boolean).join('/'))
        .sort(),
    data: async (name, namespace = 'shop') => (await memory.find({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name }))?.data,
    statuses: () => plane.events.map(({ event_type, status }) => `${event_type} ${status}`),
  };
  return world;
}

export const yaml = (...objects: readonly unknown[]): string => objects.map((object) => JSON.stringify(object)).join('\n---\n');

export const configMap = (
  name: string,
  data: Record<string, string> = { colour: 'red' },
  metadata: Record<string, unknown> = {},
): Manifest => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'shop', ...metadata },
  data,
});

export const configMaps = (count: number, data?: Record<string, string>): Manifest[] =>
  Array.from({ length: count }, (_, index) => configMap(`map-${String(index).padStart(3, '0')}`, data));

export const namespace = (name: string): Manifest => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

export const deployment = (name: string, metadata: Record<string, unknown> = {}): Manifest => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'shop', ...metadata },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image: 'nginx' }] } },
  },
});

export const widgetDefinition: Manifest = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

export const widget = (name: string): Manifest => ({
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name, namespace: 'shop' },
  spec: { size: 1 },
});
